"""Which implementation serves a point operation, and why.

``pointnet2_ops`` (CUDA) and ``torch-quickfps`` (compiled CPU code) are used when they can be imported, scipy's kd-tree
where it is faster, plain torch otherwise. All give the same indices wherever the answer is unique. Where points are
equally far (duplicates, points on a grid), to the last digit of dx^2 + dy^2 + dz^2 in the dtype of the points:

- nearest neighbours: the lower index comes first, in plain torch and by the kd-tree;
- ball query: there are no ties, since hits are taken in index order;
- farthest point sampling: the lowest index in plain torch, any of them by the others.

CUDA kernels may round once less and then see other ties. ``with reference():`` asks for plain torch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry import kd_tree, operators
from geo_lm4ve.geometry import reference as plain
from geo_lm4ve.geometry.packages import POINTNET2, QUICKFPS, SCIPY, probe

TORCH = "torch"
_FASTER = {
    "farthest_point_sample": {"cpu": QUICKFPS, "cuda": POINTNET2},
    "knn": {"cpu": SCIPY},
    "ball_query": {"cpu": SCIPY, "cuda": POINTNET2},
    "three_nn": {"cpu": SCIPY, "cuda": POINTNET2},
}
_DOUBLE = {SCIPY}
_reference_only: ContextVar[bool] = ContextVar("reference_only", default=False)


@dataclass(frozen=True)
class Choice:
    """An implementation and the reason why it was taken."""

    implementation: str
    reason: str


@contextlib.contextmanager
def reference() -> Iterator[None]:
    """Use plain torch for every point operation inside the ``with`` block."""
    token = _reference_only.set(True)
    try:
        yield
    finally:
        _reference_only.reset(token)


def choose(op: str, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Choice:
    """The implementation that serves ``op`` for points of this device and dtype.

    Raises:
        ValueError: there is no such operation.
    """
    if op not in _FASTER:
        raise ValueError(f"no point operation {op!r}; there are {', '.join(_FASTER)}")
    faster = _FASTER[op].get(torch.device(device).type)
    if _reference_only.get():
        return Choice(TORCH, "asked for by kernels.reference()")
    if faster is None:
        return Choice(TORCH, f"no other implementation on {torch.device(device).type}")
    if dtype != torch.float32 and faster not in _DOUBLE:
        return Choice(TORCH, f"{faster} works in float32, the points are {dtype}")
    module, reason = probe(faster)
    return Choice(faster if module else TORCH, reason)


def announce(device: torch.device | str | None = None) -> dict[str, str]:
    """Operation -> "implementation (reason)" for the run header; by default for the GPU if there is one."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    choices = {op: choose(op, device) for op in _FASTER}
    return {op: f"{choice.implementation} ({choice.reason})" for op, choice in choices.items()}


def _chosen(op: str, points: Tensor) -> str:
    return _implementation(op, points.device.type, points.dtype)


@torch.compiler.assume_constant_result
def _implementation(op: str, device: str, dtype: torch.dtype) -> str:
    """A graph keeps what was chosen when it was traced: ``reference()`` round a later call does not reach into it."""
    return choose(op, device, dtype).implementation


def farthest_point_sample(
    points: Float[Tensor, "b n 3"], count: int, start: int, skip_near_origin: float
) -> Int[Tensor, "b k"]:
    """Checked arguments to the chosen implementation; see ``sampling.farthest_point_sample``."""
    implementation = _chosen("farthest_point_sample", points)
    if implementation == QUICKFPS:
        return operators.quickfps(points, count, start, skip_near_origin)
    if implementation == POINTNET2 and start == 0 and skip_near_origin in (0, 1e-3):
        return operators.pointnet2_fps(points, count, skip=skip_near_origin > 0)
    return plain.farthest_point_sample(points, count, start, skip_near_origin)


def ball_query(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float, k: int
) -> Int[Tensor, "b m k"]:
    """Checked arguments to the chosen implementation; see ``neighbours.ball_query``."""
    implementation = _chosen("ball_query", points)
    if implementation == POINTNET2:
        return operators.pointnet2_ball_query(queries, points, radius, k)
    if implementation == SCIPY and kd_tree.pays_in_balls(points.shape[1], queries.shape[1]):
        return operators.kd_ball_query(queries, points, radius, k)
    return plain.ball_query(queries, points, radius, k)


def knn(queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], k: int) -> Int[Tensor, "b m k"]:
    """Checked arguments to the chosen implementation; see ``neighbours.knn``."""
    return _nearest("knn", queries, points, k)[1]


def three_nn(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"]
) -> tuple[Float[Tensor, "b m 3"], Int[Tensor, "b m 3"]]:
    """Checked arguments to the chosen implementation; see ``neighbours.three_nn``."""
    if _chosen("three_nn", points) == POINTNET2:
        return operators.pointnet2_three_nn(queries, points)
    squared, indices = _nearest("three_nn", queries, points, 3)
    return squared.sqrt(), indices


def _nearest(op: str, queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Squared distances and indices, by a tree where one is at hand and pays."""
    if _chosen(op, points) == SCIPY and kd_tree.pays(points.shape[1], queries.shape[1], k):
        return operators.kd_nearest(queries, points, k)
    return plain.nearest(queries, points, k)
