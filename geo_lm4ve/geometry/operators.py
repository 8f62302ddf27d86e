"""Code that is not torch's as operators of torch: what comes out of each, graphs and fake tensors know beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.geometry import kd_tree
from geo_lm4ve.geometry import reference as plain
from geo_lm4ve.geometry.packages import POINTNET2, QUICKFPS, module_of


def _operator(name: str, schema: str) -> Callable[[Callable[..., Any]], torch.library.CustomOpDef]:
    """Decorator: an operator of its own, so that graphs and fake tensors know what comes out of code not torch's.

    The schema is written out, since none can be inferred from a function that the shape checker of tests wraps.
    """
    return torch.library.custom_op(f"geo_lm4ve::{name}", mutates_args=(), schema=schema)


@_operator("quickfps", "(Tensor points, int count, int start, float skip_near_origin) -> Tensor")
def quickfps(points: Tensor, count: int, start: int, skip_near_origin: float) -> Tensor:
    """Farthest point sampling of torch-quickfps; what is passed over is so by the reference's rule."""
    sample = module_of(QUICKFPS).sample_idx
    if skip_near_origin == 0:
        return sample(points.contiguous(), count, start_idx=start)
    # Points that are never to be chosen are moved to where the first one is: all others are farther than these.
    skipped = points.square().sum(-1) <= skip_near_origin
    moved = torch.where(skipped[..., None], points[:, start, None], points)
    found = sample(moved.contiguous(), count, start_idx=start)
    if skipped.gather(1, found[:, 1:]).any():  # no other place is left, and any of equal points may be taken
        return plain.farthest_point_sample(points, count, start, skip_near_origin)
    return found


@quickfps.register_fake
def _(points: Tensor, count: int, start: int, skip_near_origin: float) -> Tensor:
    return points.new_empty((len(points), count), dtype=torch.long)


@_operator("pointnet2_sample", "(Tensor points, int count) -> Tensor")
def pointnet2_sample(points: Tensor, count: int) -> Tensor:
    """Farthest point sampling of pointnet2_ops, which passes over points near the origin."""
    return module_of(POINTNET2).furthest_point_sample(points.contiguous(), count).long()


@pointnet2_sample.register_fake
def _(points: Tensor, count: int) -> Tensor:
    return points.new_empty((len(points), count), dtype=torch.long)


@_operator("pointnet2_ball_query", "(Tensor queries, Tensor points, float radius, int k) -> Tensor")
def pointnet2_ball_query(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    """Ball query of pointnet2_ops."""
    return module_of(POINTNET2).ball_query(radius, k, points.contiguous(), queries.contiguous()).long()


@pointnet2_ball_query.register_fake
def _(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return points.new_empty((*queries.shape[:2], k), dtype=torch.long)


@_operator("pointnet2_three_nn", "(Tensor queries, Tensor points) -> (Tensor, Tensor)")
def pointnet2_three_nn(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and indices by pointnet2_ops."""
    distances, indices = module_of(POINTNET2).three_nn(queries.contiguous(), points.contiguous())
    return distances, indices.long()


@pointnet2_three_nn.register_fake
def _(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(queries), torch.empty_like(queries, dtype=torch.long)


@_operator("kd_tree", "(Tensor queries, Tensor points, int k) -> (Tensor, Tensor)")
def kd_nearest(queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """See ``kd_tree.nearest``."""
    return kd_tree.nearest(queries, points, k)


@kd_nearest.register_fake
def _(queries: Tensor, points: Tensor, k: int) -> tuple[Tensor, Tensor]:
    shape = (*queries.shape[:2], k)
    return queries.new_empty(shape), queries.new_empty(shape, dtype=torch.long)


@_operator("kd_ball_query", "(Tensor queries, Tensor points, float radius, int k) -> Tensor")
def kd_ball_query(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    """See ``kd_tree.ball_query``."""
    return kd_tree.ball_query(queries, points, radius, k)


@kd_ball_query.register_fake
def _(queries: Tensor, points: Tensor, radius: float, k: int) -> Tensor:
    return queries.new_empty((*queries.shape[:2], k), dtype=torch.long)


def pointnet2_fps(points: Tensor, count: int, skip: bool) -> Tensor:
    """``pointnet2_sample`` from the first point, with or without its rule about the origin."""
    # Its kernel always passes over points with |p|^2 <= 1e-3. Distances do not change when the cloud is moved away
    # from the origin, and then there are no such points.
    moved = points if skip else points - points.amin(dim=1, keepdim=True) + 1.0
    return pointnet2_sample(moved, count)
