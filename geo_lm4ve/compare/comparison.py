"""One table out of many runs: what differs makes the rows, mean and spread over seeds make the cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.compare.checks import circumstances, warnings
from geo_lm4ve.compare.runs import Collection, ReportError, Run
from geo_lm4ve.compare.statistics import Cell, Difference, difference
from geo_lm4ve.config import unknown


@dataclass(frozen=True)
class Row:
    """All runs with the same values of the ``by`` keys, one per seed.

    Attributes:
        key: those values, in the order of ``by``.
        runs: the newest run of each seed, by seed.
        superseded: older runs of a seed that ran twice; they do not count.
    """

    key: tuple[str, ...]
    runs: list[Run]
    superseded: list[Run] = field(default_factory=list)

    def cell(self, metric: str) -> Cell | None:
        """A metric over the seeds that have it; None if no run has it."""
        values = {run.seed: float(run.metrics[metric]) for run in self.runs if metric in run.metrics}
        return Cell(values) if values else None


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        by: setting keys that tell the rows apart.
        metrics: columns.
        rows: sorted by first appearance on disk, the baseline first.
        baseline: row key -> key of the row it is compared with; empty without a baseline.
        differences: (row key, metric) -> difference to its baseline row.
        circumstances: how the numbers were made: fact -> its values over all runs.
        warnings: why the rows may not be comparable.
        unfinished: run folders without results.
        unreadable: run folder -> why its results cannot be used.
    """

    by: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: list[Row]
    baseline: dict[tuple[str, ...], tuple[str, ...]]
    differences: dict[tuple[tuple[str, ...], str], Difference]
    circumstances: dict[str, list[str]]
    warnings: list[str]
    unfinished: list[Path]
    unreadable: dict[Path, str]


def compare(
    collection: Collection, by: Sequence[str] = (), metrics: Sequence[str] = (), baseline: str | None = None
) -> Comparison:
    """Arrange runs in a table.

    Args:
        collection: from ``collect``.
        by: setting keys (``block``, ``encoder``, ``optim.lr``, ...) that make the rows; by default the fewest keys that
            tell apart all runs that differ in anything but their seed.
        metrics: columns; by default all metrics there are.
        baseline: a value of one of the ``by`` keys. Every row is compared with the row that has this value there and
            otherwise the same values.

    Raises:
        ReportError: no finished run, or a key, metric or baseline that no run has (the message lists the known ones).
    """
    runs = collection.runs
    if not runs:
        others = ", ".join(map(str, [*collection.unfinished, *collection.unreadable])) or "nothing"
        raise ReportError(f"no finished run; unfinished or broken: {others}")
    keys = tuple(by) or differing_keys(runs)
    _check_known("setting", keys, (key for run in runs for key in run.settings))
    names = tuple(dict.fromkeys(name for run in runs for name in run.metrics))
    _check_known("metric", metrics, names)
    rows = _rows(runs, keys)
    pairs = _baseline_pairs(rows, keys, baseline) if baseline is not None else {}
    rows.sort(key=lambda row: pairs.get(row.key) != row.key)
    columns = tuple(metrics) or names
    return Comparison(
        by=keys,
        metrics=columns,
        rows=rows,
        baseline=pairs,
        differences=_differences(rows, columns, pairs),
        circumstances=circumstances([run for row in rows for run in row.runs]),
        warnings=[*_unpaired(rows, pairs, baseline), *_comparability(keys, rows)],
        unfinished=collection.unfinished,
        unreadable=collection.unreadable,
    )


def differing_keys(runs: Sequence[Run]) -> tuple[str, ...]:
    """The fewest setting keys, option labels first, that tell apart whatever all settings together tell apart."""
    settings = [run.settings for run in runs]
    candidates = dict.fromkeys(key for values in settings for key in values)
    differing = [key for key in candidates if len({values.get(key) for values in settings}) > 1]
    groups = len({tuple(values.get(key) for key in differing) for values in settings})
    chosen: list[str] = []
    found = 1
    for key in sorted(differing, key=lambda key: (key == "experiment", key.count("."))):
        split = len({tuple(values.get(name) for name in (*chosen, key)) for values in settings})
        if split > found:
            chosen.append(key)
            found = split
        if found == groups:
            break
    return tuple(chosen) or next(((key,) for key in ("block", "experiment") if key in candidates), ())


def _check_known(what: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    there = set(known)
    for name in wanted:
        if name not in there:
            raise ReportError(unknown(what, name, there))


def _rows(runs: Sequence[Run], by: tuple[str, ...]) -> list[Row]:
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(tuple(run.settings.get(key, "–") for key in by), []).append(run)
    return [_row(key, group) for key, group in groups.items()]


def _row(key: tuple[str, ...], runs: Sequence[Run]) -> Row:
    newest: dict[int | None, Run] = {}
    superseded = []
    for run in sorted(runs, key=lambda run: run.folder.name):
        if run.seed in newest:
            superseded.append(newest[run.seed])
        newest[run.seed] = run
    ordered = sorted(newest.values(), key=lambda run: (run.seed is None, run.seed or 0))
    return Row(key, ordered, superseded)


def _baseline_pairs(rows: Sequence[Row], by: tuple[str, ...], baseline: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    places = [place for place in range(len(by)) if any(row.key[place] == baseline for row in rows)]
    if len(places) != 1:
        values = [f"{key}: {', '.join(sorted({row.key[place] for row in rows}))}" for place, key in enumerate(by)]
        problem = "is a value of several keys" if places else "is no row"
        raise ReportError(f"baseline {baseline!r} {problem}; rows by {'; '.join(values)}")
    keys = {row.key for row in rows}
    pairs = {key: (*key[: places[0]], baseline, *key[places[0] + 1 :]) for key in keys}
    return {key: reference for key, reference in pairs.items() if reference in keys}


def _unpaired(rows: Sequence[Row], pairs: dict[tuple[str, ...], tuple[str, ...]], baseline: str | None) -> list[str]:
    lonely = [" ".join(row.key) for row in rows if baseline is not None and row.key not in pairs]
    return [f"no {baseline} row to compare {name} with" for name in lonely]


def _comparability(by: tuple[str, ...], rows: Sequence[Row]) -> list[str]:
    newest = {(row.key, run.seed): run for row in rows for run in row.runs}
    superseded = [(run, newest[row.key, run.seed]) for row in rows for run in row.superseded]
    return warnings(by, {row.key: row.runs for row in rows}, superseded)


def _differences(
    rows: Sequence[Row], metrics: Sequence[str], pairs: dict[tuple[str, ...], tuple[str, ...]]
) -> dict[tuple[tuple[str, ...], str], Difference]:
    by_key = {row.key: row for row in rows}
    found = {}
    for row in rows:
        reference = by_key.get(pairs.get(row.key, row.key), row)
        if reference is row:
            continue
        for metric in metrics:
            cell, base = row.cell(metric), reference.cell(metric)
            if cell and base:
                found[row.key, metric] = difference(cell, base)
    return found
