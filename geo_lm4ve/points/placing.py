"""Whether clouds lie where models expect them, on the unit sphere; a word about those that do not."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from geo_lm4ve.notice import say

FOREIGN = 2
"""A cloud whose farthest point is so many times farther from the origin than 1, or nearer, was not normalised."""


def reach(points: Tensor) -> Tensor:
    """Largest distance from the origin of every cloud (..., p, 3)."""
    return points.norm(dim=-1).amax(dim=-1)


def say_foreign(reaches: Mapping[str, Tensor], remedy: str) -> None:
    """One line if clouds are far from the unit sphere; ``reaches``: of the clouds of every file or split."""
    found = {what: far[(far < 1 / FOREIGN) | (far > FOREIGN)] for what, far in reaches.items()}
    foreign = {what: far for what, far in found.items() if len(far)}
    if foreign:
        count, total = (sum(map(len, clouds.values())) for clouds in (foreign, reaches))
        what, far = next(iter(foreign.items()))
        say(
            f"{count:,} of {total:,} clouds are not on the unit sphere, the first in {what}: its farthest point is "
            f"{far[0]:.3g} from the origin, and data.normalize=false leaves it there. Augmentation, radii and "
            f"published weights are made for 1: {remedy}"
        )
