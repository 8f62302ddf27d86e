"""What points may carry besides their coordinates: the kinds of features, and how many numbers each of them has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.geometry.checks import all_finite

KINDS = {"height": 1, "normal": 3, "color": 3, "intensity": 1}
"""Kind of feature -> numbers per point.

``height``: coordinate along the up axis above the cloud's lowest point, computed for every batch; ``normal``: of length
1, or zeros where nobody knows it; ``color``: red, green, blue in [0, 1].
"""

COMPUTED = ("height",)
"""Kinds that no file holds."""


@runtime_checkable
class GivesFeatures(Protocol):
    """The config of data whose points carry features.

    Attributes:
        features: their kinds, in the order of their numbers.
    """

    features: list[str]


def width(kinds: Sequence[str]) -> int:
    """Numbers per point of some kinds."""
    return sum(KINDS[kind] for kind in kinds)


def in_files(kinds: Sequence[str]) -> tuple[str, ...]:
    """Those of some kinds that are read from files, in their order."""
    return tuple(kind for kind in kinds if kind not in COMPUTED)


def check_kinds(key: str, kinds: Sequence[str]) -> None:
    """ConfigError unless all are kinds of features, each of them named once; ``key`` is where they are named."""
    if odd := [kind for kind in kinds if kind not in KINDS]:
        raise ConfigError(f"{key}: {unknown('kind of feature', odd[0], KINDS)}")
    if len(set(kinds)) < len(kinds):
        raise ConfigError(f"{key}={as_list(kinds)} names a kind of feature twice")


def as_list(kinds: Sequence[str]) -> str:
    """Some kinds as a value of the command line: ``[height,normal]``."""
    return f"[{','.join(kinds)}]"


def lacking(given: Sequence[str], wanted: Sequence[str]) -> str:
    """What an encoder that takes ``wanted`` misses of what data give, with the change that mends it; "" if nothing."""
    if any(kind not in given for kind in wanted):
        return (
            f"the encoder takes the features {', '.join(wanted)}, the data have {', '.join(given) or 'none'}: set "
            f"data.features={as_list(wanted)}"
        )
    return ""


def unit(normals: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """The vectors at length 1; zeros stay zeros, and lengths neither overflow nor vanish."""
    largest = normals.abs().amax(-1, keepdim=True)
    scaled = normals / largest.where(largest > 0, 1.0)
    return scaled / scaled.norm(dim=-1, keepdim=True).clamp(min=1.0)


def check_finite(features: Float[Tensor, "b n c"], kinds: Sequence[str]) -> None:
    """ValueError unless all features are finite; it names the first bad point and the kind."""
    good = features.isfinite()
    if not good.all():
        row, point, channel = (~good).nonzero()[0].tolist()
        kind = [kind for kind in kinds for _ in range(KINDS[kind])][channel]
        raise ValueError(
            f"features[{row}, {point}] have the {kind} {features[row, point, channel].item()}: features must be "
            "finite; drop that point or repair it"
        )


def check_points(points: Tensor, features: Tensor | None, kinds: Sequence[str]) -> None:
    """ValueError unless coordinates and features of a batch are finite; it names the first bad point."""
    all_finite("points", points)
    if features is not None:
        check_finite(features, kinds)
