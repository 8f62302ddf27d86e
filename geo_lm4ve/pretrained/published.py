"""Results that were published of official checkpoints: each with the conditions under which it was measured.

A number is shown beside a score only where file and experiment meet all of them; where not, it is said which differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geo_lm4ve.pretrained.report import LoadReport

SPREAD = "_std"
"""Ends the name of a metric's standard deviation."""

_MISSING = object()


@dataclass(frozen=True)
class Benchmark:
    """Data that results are published of.

    Attributes:
        name: as ``DataInfo.benchmark`` has it.
        samples: of the test split; None: not known.
    """

    name: str
    samples: int | None = None


@dataclass(frozen=True)
class Published:
    """A result of the model in a kind of checkpoint file.

    Attributes:
        model: what its authors call it.
        benchmark: the data.
        values: who gives it (``paper``) -> metric -> value in the unit of ours; ``overall_accuracy_std`` is a spread.
        source: where it stands.
        conditions: key of the configuration (``data.points``) -> value, or a tuple of values that come to the same;
            besides the test split and one plain view.
        protocol: what else is to be known of the number.
    """

    model: str
    benchmark: Benchmark
    values: Mapping[str, Mapping[str, float]]
    source: str
    conditions: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = ""

    def differing(self, config: Mapping[str, Any], samples: int) -> dict[str, dict[str, str]]:
        """Conditions that do not hold: name -> value ``published`` and ``here``."""
        wanted = {"run.split": "test", "task.votes": 0, **self.conditions}
        found = {key: (value, _value(config, key)) for key, value in wanted.items()}
        if self.benchmark.samples is not None:
            found["samples"] = (self.benchmark.samples, samples)
        return {
            key: {"published": _text(value), "here": _text(here)}
            for key, (value, here) in found.items()
            if here not in (value if isinstance(value, tuple) else (value,))
        }


def beside(report: LoadReport, config: Mapping[str, Any], benchmark: str, samples: int) -> dict[str, Any] | None:
    """What was published of the file that was loaded, as ``results.json`` has it.

    Args:
        report: of the load; its kind of file has the rows.
        config: of the experiment, in plain values.
        benchmark: of the data that were scored.
        samples: that were scored.

    Returns:
        The row whose conditions hold, else the nearest one with ``differing`` and without ``values``; None where
        nothing was published of such a file on these data.
    """
    rows = [row for row in report.published if row.benchmark.name == benchmark]
    if not rows:
        return None
    row, differing = min(((row, row.differing(config, samples)) for row in rows), key=lambda pair: len(pair[1]))
    if report.foreign:
        differing["weights"] = {"published": "all of the file", "here": report.foreign}
    values = {} if differing else {who: dict(metrics) for who, metrics in row.values.items()}
    return {
        "model": row.model, "benchmark": benchmark, "values": values, "source": row.source, "protocol": row.protocol,
        "differing": differing,
    }  # fmt: skip


def columns(published: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, list[str]]:
    """A column of a table for each who gave values: its heading -> a cell for every metric, "" where none was given."""
    return {
        f"published: {who}": [_cell(values, metric) for metric in metrics]
        for who, values in published["values"].items()
    }


def described(published: Mapping[str, Any]) -> str:
    """Of what the published numbers are, or why there are none, in one sentence."""
    subject = f"{published['model']} on {published['benchmark']}"
    if not published["differing"]:
        more = f"; {published['protocol']}" if published["protocol"] else ""
        return f"published: {subject}, {published['source']}{more}"
    conditions = ", ".join(
        f"{key} {one['published']} (here {one['here']})" for key, one in published["differing"].items()
    )
    return f"no published number beside this: that of {subject} ({published['source']}) is for {conditions}"


def _cell(values: Mapping[str, float], metric: str) -> str:
    if metric not in values:
        return ""
    spread = values.get(metric + SPREAD)
    return f"{values[metric]:.4f}" + ("" if spread is None else f" ± {spread:.4f}")


def _value(config: Any, key: str) -> Any:
    for name in key.split("."):
        config = config.get(name, _MISSING) if isinstance(config, Mapping) else _MISSING
    return config


def _text(value: Any) -> str:
    if value is _MISSING:
        return "no such setting"
    if isinstance(value, tuple):
        return " or ".join(map(_text, value))
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else str(value)
