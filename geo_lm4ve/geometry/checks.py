"""Checks shared by the public point operations: shape, finiteness, counts; and of features."""

from __future__ import annotations

import torch
from torch import Tensor


def working(name: str, points: Tensor, finite: bool = False) -> Tensor:
    """The points detached and in float32 or float64; ValueError unless they are finite and (b, n, 3).

    With ``finite`` the coordinates are known to be so, and no device is asked.
    """
    _shaped(name, points)
    if not points.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {points.dtype}; convert by {name}.float()")
    points = points.detach()
    if not finite and not _in_graph(points):
        all_finite(name, points)
    return points if points.dtype == torch.float64 else points.float()


def _shaped(name: str, points: Tensor) -> None:
    if points.dim() != 3 or points.shape[-1] != 3:
        raise ValueError(
            f"{name} must be a batch of clouds (b, n, 3), got {tuple(points.shape)}; add the batch axis by {name}[None]"
        )


def all_finite(name: str, points: Tensor) -> None:
    """ValueError unless all coordinates (b, n, 3) and squared distances are finite; it names the first bad point."""
    _shaped(name, points)
    # The quarter of the root: three squares of twice as much stay below the largest number.
    limit = torch.finfo(torch.float64 if points.dtype == torch.float64 else torch.float32).max ** 0.5 / 4
    good = points.abs() <= limit
    if not good.all():
        row, point = (~good.all(-1)).nonzero()[0].tolist()
        raise ValueError(
            f"{name}[{row}, {point}] is {points[row, point].tolist()}: coordinates must be finite, and at most "
            f"{limit:.1e} for squared distances to be so; drop that point or scale the cloud"
        )


def _in_graph(points: Tensor) -> bool:
    """Whether reading values back is impossible: while tracing for torch.compile or capturing a CUDA graph."""
    return torch.compiler.is_compiling() or (points.is_cuda and torch.cuda.is_current_stream_capturing())


def pair(queries: Tensor, points: Tensor, finite: bool = False) -> tuple[Tensor, Tensor]:
    """Both checked, with one batch size and one dtype."""
    queries, points = working("queries", queries, finite), working("points", points, finite)
    if len(queries) != len(points):
        raise ValueError(f"queries and points must have one batch size, got {len(queries)} and {len(points)}")
    dtype = torch.promote_types(queries.dtype, points.dtype)
    return queries.to(dtype), points.to(dtype)


def count(name: str, value: int, available: int) -> None:
    """ValueError unless 1 <= value <= the number of points."""
    if not 1 <= value <= available:
        raise ValueError(
            f"{name} must be between 1 and the number of points, got {name}={value} for {available} points; "
            f"lower {name} or give denser clouds"
        )


def features(name: str, values: Tensor | None, points: Tensor, channels: int) -> None:
    """ValueError unless there are ``channels`` features of every point (b, n, channels); none at all if it is 0."""
    found = None if values is None else tuple(values.shape)
    expected = (*points.shape[:2], channels) if channels else None
    if found != expected:
        raise ValueError(
            f"{name} must be {expected} for points {tuple(points.shape)}, got {found}; the layout is (b, n, channels), "
            "and the number of channels is fixed when the layer is made"
        )
