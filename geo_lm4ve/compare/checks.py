"""How the numbers of several runs were made, and loud words where they were not made the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geo_lm4ve.compare.runs import UNTRAINED, Run, flatten
from geo_lm4ve.costs import cost_of

FACTS = ("commit", "data", "data_root", "synthetic", "samples", "protocol", "device")
"""Entries of ``results.json`` that must agree before two numbers may be compared."""

_OUTCOMES = frozenset({"protocol.epoch", "protocol.checkpoint"})
"""Entries of the protocol that training finds out; they differ from seed to seed."""


def facts(run: Run) -> dict[str, str]:
    """The facts of one run as text; what its file does not say is left out."""
    known: dict[str, Any] = {name: run.results[name] for name in FACTS if run.results.get(name) is not None}
    return {name: text for name, text in flatten(known).items() if name not in _OUTCOMES} | run.trained_on


def circumstances(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Fact -> its distinct values over the runs; with the seeds and the total wall time."""
    collected: dict[str, list[str]] = {"runs": [str(len(runs))], "seeds": _distinct(str(run.seed) for run in runs)}
    for run in runs:
        for name, text in facts(run).items():
            if text not in collected.setdefault(name, []):
                collected[name].append(text)
    if costs := _distinct(cost.said for run in runs if (cost := cost_of(run.results))):
        collected["cost"] = costs
    seconds = [run.results["wall_seconds"] for run in runs if "wall_seconds" in run.results]
    if seconds:
        collected["training time"] = [f"{sum(seconds) / 3600:.2f} h in {len(seconds)} runs"]
    return collected


def warnings(
    by: Sequence[str], rows: Mapping[tuple[str, ...], Sequence[Run]], superseded: Sequence[tuple[Run, Run]]
) -> list[str]:
    """Every reason why the rows may not be comparable, one sentence each; ``superseded``: (older, newer) runs."""
    return [
        *_mixed_facts(rows),
        *_dirty(rows),
        *_mixed_rows(by, rows),
        *_seeds(rows),
        *_missing_metrics(rows),
        *_mixed_latency(rows),
        *(_replaced(by, older, newer) for older, newer in superseded),
    ]


def _mixed_facts(rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    found = []
    all_facts = {key: [facts(run) for run in runs] for key, runs in rows.items()}
    for name in _distinct(name for row in all_facts.values() for run in row for name in run):
        holders: dict[str, list[str]] = {}
        for key, row in all_facts.items():
            for value in _distinct(run.get(name, "not said") for run in row):
                holders.setdefault(value, []).append(" ".join(key))
        if name.startswith("trained_on."):
            holders = {value: held for value, held in holders.items() if value != UNTRAINED}
        if len(holders) > 1:
            listed = "; ".join(f"{value} ({', '.join(held)})" for value, held in holders.items())
            found.append(f"the runs differ in {name}: {listed}")
    return found


def _dirty(rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    dirty = [run for runs in rows.values() for run in runs if str(run.results.get("commit", "")).endswith("dirty")]
    if not dirty:
        return []
    return [f"{len(dirty)} of the runs used code with uncommitted changes: their commit does not say which"]


def _mixed_rows(by: Sequence[str], rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    """Settings that differ inside a row: a mean over them is not a mean over seeds."""
    found = []
    for key, runs in rows.items():
        if mixed := _mixed(by, runs):
            found.append(f"row {' '.join(key)} averages over runs that differ in {mixed}")
    return found


def _replaced(by: Sequence[str], older: Run, newer: Run) -> str:
    """A run that does not count: the same run again, or another one that ``by`` does not tell from it."""
    mixed = _mixed(by, (older, newer))
    return f"a newer run of the same seed replaces {older.folder}" + (f", but differs in {mixed}" if mixed else "")


def _mixed(by: Sequence[str], runs: Sequence[Run]) -> str:
    """The settings that differ, at most five by name; "" if none does."""
    settings = [run.settings for run in runs]
    names = _distinct(name for values in settings for name in values)
    mixed = [name for name in names if name not in by and len({values.get(name) for values in settings}) > 1]
    return ", ".join(mixed[:5]) + (f" and {len(mixed) - 5} more" if len(mixed) > 5 else "")


def _seeds(rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    seeds = {" ".join(key): [str(run.seed) for run in runs] for key, runs in rows.items()}
    if len({tuple(values) for values in seeds.values()}) < 2:
        return []
    return ["the rows have different seeds: " + "; ".join(f"{key}: {', '.join(row)}" for key, row in seeds.items())]


def _missing_metrics(rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    found = []
    for key, runs in rows.items():
        names = _distinct(name for run in runs for name in run.metrics)
        partly = [name for name in names if not all(name in run.metrics for run in runs)]
        if partly:
            found.append(f"row {' '.join(key)}: not every run has {', '.join(partly)}")
    return found


def _mixed_latency(rows: Mapping[tuple[str, ...], Sequence[Run]]) -> list[str]:
    """Scores may be compared all the same: what differs is where and how passes were timed."""
    holders: dict[str, list[str]] = {}
    for key, runs in rows.items():
        for conditions in _distinct(cost.conditions for run in runs if (cost := cost_of(run.results))):
            holders.setdefault(conditions, []).append(" ".join(key))
    listed = "; ".join(f"{conditions} ({', '.join(held)})" for conditions, held in holders.items())
    return [f"ms were measured in different ways: {listed}"] if len(holders) > 1 else []


def _distinct(values: Any) -> list[str]:
    return list(dict.fromkeys(values))
