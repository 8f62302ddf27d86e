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
import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.geometry import kd_tree
from geo_lm4ve.geometry import reference as plain

QUICKFPS, POINTNET2, SCIPY, TORCH = "torch-quickfps", "pointnet2_ops", "scipy", "torch"
_MODULES = {QUICKFPS: "torch_quickfps", POINTNET2: "pointnet2_ops.pointnet2_utils", SCIPY: "scipy.spatial"}
_FASTER = {
    "farthest_point_sample": {"cpu": QUICKFPS, "cuda": POINTNET2},
    "knn": {"cpu": SCIPY},
    "ball_query": {"cpu": SCIPY, "cuda": POINTNET2},
    "three_nn": {"cpu": SCIPY, "cuda": POINTNET2},
}
_HINTS = {
    QUICKFPS: "pip install 'geo_lm4ve[fast]'",
    POINTNET2: "build it from github.com/erikwijmans/Pointnet2_PyTorch",
    SCIPY: "pip install scipy",
}
_WHERE = {SCIPY: ", a kd-tree for large clouds"}
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


@functools.cache
def probe(package: str) -> tuple[ModuleType | None, str]:
    """The module of an optional package, or None; and what was found."""
    try:
        module = importlib.import_module(_MODULES[package])
    except ModuleNotFoundError:
        return None, f"{package} is not installed: {_HINTS[package]}"
    except (ImportError, OSError, RuntimeError) as error:
        return None, f"{package} is installed but does not load: {error}"
    return module, f"{package} {_version(package)}{_WHERE.get(package, '')}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _module(package: str) -> ModuleType:
    module, reason = probe(package)
    if module is None:
        raise ImportError(reason)
    return module


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
        return _quickfps(points, count, start, skip_near_origin)
    if implementation == POINTNET2 and start == 0 and skip_near_origin in (0, 1e-3):
        return _pointnet2_fps(points, count, skip=skip_near_origin > 0)
    return plain.farthest_point_sample(points, count, start, skip_near_origin)


def _pointnet2_fps(points: Tensor, count: int, skip: bool) -> Tensor:
    # Its kernel always passes over points with |p|^2 <= 1e-3. Distances do not change when the cloud is moved away
    # from the origin, and then there are no such points.
    moved = points if skip else points - points.amin(dim=1, keepdim=True) + 1.0
    return _pointnet2_sample(moved, count)


def ball_query(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], radius: float, k: int
) -> Int[Tensor, "b m k"]:
    """Checked arguments to the chosen implementation; see ``neighbours.ball_query``."""
    implementation = _chosen("ball_query", points)
    if implementation == POINTNET2:
        return _pointnet2_ball_query(queries, points, radius, k)
    if implementation == SCIPY and kd_tree.pays(points.shape[1], queries.shape[1]):
        return _kd_ball_query(queries, points, radius, k)
    return plain.ball_query(queries, points, radius, k)


def knn(queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"], k: int) -> Int[Tensor, "b m k"]:
    """Checked arguments to the chosen implementation; see ``neighbours.knn``."""
    return _nearest("knn", queries, points, k)[1]


def three_nn(
    queries: Float[Tensor, "b m 3"], points: Float[Tensor, "b n 3"]
) -> tuple[Float[Tensor, "b m 3"], Int[Tensor, "b m 3"]]:
    """Checked arguments to the chosen implementation; see ``neighbours.three_nn``."""
    if _chosen("three_nn", points) == POINTNET2:
        return _pointnet2_three_nn(queries, points)
    squared, indices = _nearest("three_nn", queries, points, 3)
    return squared.sqrt(), indices


def _nearest(op: str, queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Squared distances and indices, by a tree where one is at hand and pays."""
    if _chosen(op, points) == SCIPY and kd_tree.pays(points.shape[1], queries.shape[1], k):
        return _kd_tree(queries, points, k)
    return plain.nearest(queries, points, k)


def _operator(name: str, schema: str) -> Callable[[Callable[..., Any]], torch.library.CustomOpDef]:
    """Decorator: an operator of its own, so that graphs and fake tensors know what comes out of code not torch's.

    The schema is written out, since none can be inferred from a function that the shape checker of tests wraps.
    """
    return torch.library.custom_op(f"geo_lm4ve::{name}", mutates_args=(), schema=schema)


@_operator("quickfps", "(Tensor points, int count, int start, float skip_near_origin) -> Tensor")
def _quickfps(points: Tensor, count: int, start: int, skip_near_origin: float) -> Tensor:
    sample = _module(QUICKFPS).sample_idx
    if skip_near_origin == 0:
        return sample(points.contiguous(), count, start_idx=start)
    # Points that are never to be chosen are moved to where the first one is: all others are farther than these.
    skipped = points.square().sum(-1) <= skip_near_origin
    moved = torch.where(skipped[..., None], points[:, start, None], points)
    found = sample(moved.contiguous(), count, start_idx=start)
    if skipped.gather(1, found[:, 1:]).any():  # no other place is left, and any of equal points may be taken
        return plain.farthest_point_sample(points, count, start, skip_near_origin)
    return found


@_quickfps.register_fake
def _(points: Tensor, count: int, start: int, skip_near_origin: float) -> Tensor:
    return points.new_empty((len(points), count), dtype=torch.long)


@_operator("pointnet2_sample", "(Tensor points, int count) -> Tensor")
def _pointnet2_sample(points: Tensor, count: int) -> Tensor:
    return _module(POINTNET2).furthest_point_sample(points.contiguous(), count).long()


@_pointnet2_sample.register_fake
def _(points: Tensor, count: int) -> Tensor:
    return points.new_empty((len(points), count), dtype=torch.long)


@_operator("pointnet2_ball_query", "(Tensor queries, Tensor points, float radius, int k) -> Tensor")
def _pointnet2_ball_query(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return _module(POINTNET2).ball_query(radius, k, points.contiguous(), queries.contiguous()).long()


@_pointnet2_ball_query.register_fake
def _(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return points.new_empty((*queries.shape[:2], k), dtype=torch.long)


@_operator("pointnet2_three_nn", "(Tensor queries, Tensor points) -> (Tensor, Tensor)")
def _pointnet2_three_nn(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    distances, indices = _module(POINTNET2).three_nn(queries.contiguous(), points.contiguous())
    return distances, indices.long()


@_pointnet2_three_nn.register_fake
def _(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(queries), torch.empty_like(queries, dtype=torch.long)


@_operator("kd_tree", "(Tensor queries, Tensor points, int k) -> (Tensor, Tensor)")
def _kd_tree(queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    return kd_tree.nearest(queries, points, k)


@_kd_tree.register_fake
def _(queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    shape = (*queries.shape[:2], k)
    return queries.new_empty(shape), queries.new_empty(shape, dtype=torch.long)


@_operator("kd_ball_query", "(Tensor queries, Tensor points, float radius, int k) -> Tensor")
def _kd_ball_query(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return kd_tree.ball_query(queries, points, radius, k)


@_kd_ball_query.register_fake
def _(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return queries.new_empty((*queries.shape[:2], k), dtype=torch.long)
