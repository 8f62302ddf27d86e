"""The order in which farthest point sampling visits a cloud, computed once and kept on disk.

A sample of k points is the first k entries of a longer order, so one order serves training (1,200 points, of which
1,024 are drawn) and evaluation (the first 1,024).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from geo_lm4ve.cache import folder_beside
from geo_lm4ve.files import UserError, atomic_path
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.notice import progress, say
from geo_lm4ve.reading import reader

CLOUDS_AT_ONCE = 64


class CacheError(UserError):
    """A stored order that cannot be used; it is computed again."""


def order_folder(root: Path) -> Path:
    """Where the orders of the clouds in ``root`` are kept: beside them, or in the user's cache."""
    return folder_beside(root, "fps_order", by_place=False)


def fps_order(points: Float[Tensor, "n p 3"], count: int, folder: Path, what: str) -> Int[Tensor, "n k"]:
    """The first ``count`` indices of farthest point sampling of every cloud, from the cache if it holds them.

    Plain torch computes them even where a faster kernel is installed: kernels break ties differently (points on a
    grid, duplicates), and the same files should give the same samples on every machine.

    Args:
        points: (n, points, 3).
        count: k <= points.
        folder: where orders are kept, one file per content of ``points``.
        what: which clouds these are, in messages.
    """
    digest = hashlib.sha256(points.numpy().tobytes()).hexdigest()
    path = folder / f"{digest[:16]}.safetensors"
    stored = _load(path, digest, count)
    if stored is not None:
        return stored
    order = compute_order(points, count, f"farthest point order of {what}, {len(points)} clouds, once")
    with atomic_path(path) as temporary:
        temporary.write_bytes(save({"order": order}, {"points": digest, "order": _digest(order)}))
    say(f"kept the farthest point order in {path}")
    return order.long()


def compute_order(points: Tensor, count: int, doing: str) -> Tensor:
    """The order itself, (n, count) in the smallest dtype that holds it; ``doing`` is said with the progress."""
    dtype = torch.int16 if points.shape[1] <= torch.iinfo(torch.int16).max else torch.int32
    order = torch.empty(len(points), count, dtype=dtype)
    with kernels.reference():
        for start in progress(range(0, len(points), CLOUDS_AT_ONCE), doing):
            piece = slice(start, start + CLOUDS_AT_ONCE)
            order[piece] = farthest_point_sample(points[piece], count).to(dtype)
    return order


def _load(path: Path, digest: str, count: int) -> Tensor | None:
    """The stored order, or None when there is none that is intact and long enough."""
    if not path.is_file():
        return None
    try:
        order = read_order(path, digest)
    except CacheError as error:
        say(str(error))
        return None
    return order[:, :count].long() if order.shape[1] >= count else None


@reader(CacheError, "an order of points", "computing it again")
def read_order(path: Path, digest: str) -> Tensor:
    """The stored order (n, count) of the clouds with this digest; CacheError if it is damaged or of others."""
    with safe_open(path, "pt") as file:
        meta, order = file.metadata() or {}, file.get_tensor("order")
    if meta.get("points") != digest or meta.get("order") != _digest(order):
        raise ValueError("its checksums do not match")
    return order


def _digest(order: Tensor) -> str:
    return hashlib.sha256(order.numpy().tobytes()).hexdigest()
