"""Names of PointNeXt's classifiers, as OpenPoints saves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from geo_lm4ve.points.checkpoints import published
from geo_lm4ve.points.encoders.pointnext import HALVINGS, PointNext
from geo_lm4ve.pretrained.architecture import OUTPUTS, count, size, widths
from geo_lm4ve.pretrained.layouts import Layout, NameTable, Row, register_checkpoints

_STAGES, _OFFICIAL = "encoder.stages", "encoder.encoder"
_STEM = f"{_STAGES}.stem.linear.weight"
_HEAD = {0: "0.0", 1: "0.1", 4: "2.0", 5: "2.1", 8: "4.0"}
"""Layers of the head's MLP; ReLU and dropout are among ours, while the official layers are nested."""


def describe(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """See ``NameTable``. Radii, neighbours and kinds of point features leave no trace in the weights.

    Nor does the expansion of inverted residual MLPs where there are none: then it is not in the description.
    """
    *hidden, outputs = widths(state, "head.mlp.*.weight") or (None,)
    depth = count(state, f"{_STAGES}.sa_1.mlp.layers.*")
    widening = [f"{_STAGES}.sa_{number}.blocks.1.widen.linear.weight" for number in _numbers()]
    expansions = [(size(state, key) or 0) // (size(state, key, axis=1) or 1) for key in widening if key in state]
    return {
        "encoder.width": size(state, _STEM),
        "encoder.in_channels": size(state, _STEM, axis=1),
        "encoder.blocks": depth and tuple(1 + (count(state, f"{_STAGES}.sa_{n}.blocks.*") or 0) for n in _numbers()),
        "encoder.sa_layers": depth,
        "encoder.sa_residual": depth and f"{_STAGES}.sa_1.skip.weight" in state,
        **({"encoder.expansion": expansions[0]} if expansions else {}),
        "head.hidden": tuple(hidden),
        OUTPUTS: outputs,
    }


def _numbers() -> range:
    """The set abstraction stages, counted from 1; the official stem is stage 0."""
    return range(1, 1 + HALVINGS)


def _normed(ours: str, linear: str, norm: str, conv: int) -> Iterator[Row]:
    """The rows of a NormedLinear."""
    yield Row(f"{ours}.linear", linear, conv=conv)
    yield Row(f"{ours}.norm", norm)


def _rows() -> Iterator[Row]:
    """All names, stage by stage."""
    yield Row(f"{_STAGES}.stem.linear", f"{_OFFICIAL}.0.0.convs.0.0", conv=1)
    for number in _numbers():
        ours, official = f"{_STAGES}.sa_{number}", f"{_OFFICIAL}.{number}"
        yield Row(f"{ours}.skip", f"{official}.0.skipconv.0", conv=1)
        yield from _normed(f"{ours}.mlp.layers.*", f"{official}.0.convs.*.0", f"{official}.0.convs.*.1", conv=2)
        ours, official = f"{ours}.blocks.*", f"{official}.*"
        local = f"{official}.convs.convs.0"
        yield from _normed(f"{ours}.local.layers.0", f"{local}.0", f"{local}.1", conv=2)
        for layer, name in enumerate(("widen", "narrow")):
            point = f"{official}.pwconv.{layer}"
            yield from _normed(f"{ours}.{name}", f"{point}.0", f"{point}.1", conv=1)
    last = f"{_OFFICIAL}.{1 + HALVINGS}.0.convs.*"
    yield from _normed(f"{_STAGES}.all.mlp.layers.*", f"{last}.0", f"{last}.1", conv=2)
    for layer, nested in _HEAD.items():
        yield Row(f"head.mlp.{layer}", f"prediction.head.{nested}")


TABLE = NameTable(PointNext, tuple(_rows()), describe)
"""Official class ``BaseCls`` of a ``PointNextEncoder`` and a ``ClsHead``."""

CLASSIFIER = Layout(
    title="PointNeXt classifier (OpenPoints)",
    marker=_OFFICIAL,
    table=TABLE,
    fresh=("bridge",),
    published=published.POINTNEXT,
)

LAYOUTS = (CLASSIFIER,)

register_checkpoints(TABLE, LAYOUTS)
