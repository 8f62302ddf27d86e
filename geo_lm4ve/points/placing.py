"""Whether clouds lie where models expect them, on the unit sphere; a word about those that do not."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

FOREIGN = 2
"""A cloud whose farthest point is so many times farther from the origin than 1, or nearer, was not normalised."""


def reach(points: Tensor) -> Tensor:
    """Largest distance from the origin of every cloud (..., p, 3)."""
    return points.norm(dim=-1).amax(dim=-1)


def foreign(reaches: Mapping[str, Tensor], remedy: str) -> str:
    """A sentence about clouds far from the unit sphere, else nothing; ``reaches``: of those of every file or split."""
    found = {what: far[(far < 1 / FOREIGN) | (far > FOREIGN)] for what, far in reaches.items()}
    away = {what: far for what, far in found.items() if len(far)}
    if not away:
        return ""
    count, total = (sum(map(len, clouds.values())) for clouds in (away, reaches))
    what, far = next(iter(away.items()))
    return (
        f"{count:,} of {total:,} clouds are not on the unit sphere, the first in {what}: its farthest point is "
        f"{far[0]:.3g} from the origin, and data.normalize=false leaves it there. Augmentation, radii and "
        f"published weights are made for 1: {remedy}"
    )
