"""What a score costs: FLOPs and latency of a forward pass, as ``results.json`` has them and as tables say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geo_lm4ve.reading import Fields

PARTS = ("encoder", "adapters", "block", "head")
"""Of a model, in the order of the data; the adapters are all of the bridge but its block."""
KINDS = ("trainable", "frozen")
"""What is spent in a module without a trainable parameter is frozen, all else is trainable."""
COUNTED = "2 per multiply-add of products, convolutions, attention and recurrent layers, padding included, no others"
"""What PyTorch's counter counts."""


@dataclass(frozen=True)
class Latency:
    """Time of forward passes with batches of one size.

    Attributes:
        batch: samples per batch.
        ms_per_sample: median time of a pass in milliseconds, divided by the samples.
        repeats: passes that were timed.
    """

    batch: int
    ms_per_sample: float
    repeats: int

    def __str__(self) -> str:
        """E.g. ``1.53 in batches of 16``."""
        return f"{figure(self.ms_per_sample)} " + ("alone" if self.batch == 1 else f"in batches of {self.batch}")


@dataclass(frozen=True)
class Cost:
    """Forward passes of a model in eval mode, with the first samples of the split that was scored.

    Attributes:
        flops_per_sample: part (``PARTS``) -> kind (``KINDS``) -> FLOPs.
        evaluated: latency with the batch that was counted, the first of the evaluation.
        alone: latency of its first sample by itself.
        device: on which both were measured.
        threads: of the CPU.
        processes: of the evaluation; the main one alone measured.
        precision: in which products were computed.
    """

    flops_per_sample: dict[str, dict[str, float]]
    evaluated: Latency
    alone: Latency
    device: str
    threads: int
    processes: int
    precision: str

    def plain(self) -> dict[str, Any]:
        """As ``results.json`` has it, with what the numbers mean."""
        return {**asdict(self), "counted": COUNTED, "measured": "while evaluating"}

    def gflops(self, *kinds: str) -> float:
        """10⁹ FLOPs per sample, of these kinds or of all."""
        return sum(spent[kind] for spent in self.flops_per_sample.values() for kind in kinds or KINDS) / 1e9

    @property
    def conditions(self) -> str:
        """How the latency was measured: what must agree before two of them may be compared."""
        where = f"{self.device}, {self.threads} thread(s), {self.processes} process(es), {self.precision}"
        return f"{where}, batches of {self.evaluated.batch}"

    @property
    def said(self) -> str:
        """One sentence on what the numbers are, the same for all runs that were measured alike."""
        return f"a forward pass on {self.conditions}; ms: median, measured while evaluating; FLOPs: {COUNTED}"

    @property
    def rows(self) -> dict[str, str]:
        """Lines of a table of scores."""
        passes = f"{self.evaluated.repeats} and {self.alone.repeats} passes"
        return {
            "GFLOPs per sample": f"{figure(self.gflops())}, frozen {figure(self.gflops('frozen'))}",
            "ms per sample": f"{self.evaluated}, {self.alone} ({passes})",
        }


def cost_of(results: Mapping[str, Any]) -> Cost | None:
    """The cost in the content of ``results.json``; None in results of before it was measured, or without it.

    Raises:
        ValueError: it is not as ``Cost.plain`` writes it.
    """
    if "cost" not in results:
        return None
    cost = Fields(results).fields("cost")
    flops = cost.fields("flops_per_sample")
    return Cost(
        {part: {kind: _positive(flops.fields(part), kind) for kind in KINDS} for part in PARTS},
        _latency(cost.fields("evaluated")),
        _latency(cost.fields("alone")),
        cost.text("device"),
        cost.whole("threads", 1),
        cost.whole("processes", 1),
        cost.text("precision"),
    )


def _latency(fields: Fields) -> Latency:
    return Latency(fields.whole("batch", 1), _positive(fields, "ms_per_sample"), fields.whole("repeats", 1))


def _positive(fields: Fields, key: str) -> float:
    if not 0 <= fields.number(key) <= 1e30:
        raise ValueError(f"{fields.prefix}{key} is {fields.number(key):g}, not between 0 and 1e30")
    return fields.number(key)


def figure(value: float) -> str:
    """Three significant digits, all digits before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
