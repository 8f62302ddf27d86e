"""A batch of point clouds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.calls import InputError, described
from geo_lm4ve.points.features import KINDS, check_points, lacking, width


@dataclass(frozen=True)
class PointBatch:
    """Point clouds of one size with their labels.

    Attributes:
        points: (B, N, 3) coordinates, normalised to the unit sphere unless the data set says otherwise.
        labels: (B,) class of each cloud, -1 where it is not known.
        index: (B,) row of each cloud in its split.
        names: what each cloud is called (file names of one's own clouds), else ().
        finite: all coordinates and features are known to be finite; False: nobody has looked yet.
        features: (B, N, C) what the points carry besides their coordinates, kind after kind; None for nothing.
        feature_names: kinds of the features in their order, out of ``points.features.KINDS``.
    """

    points: Float[Tensor, "b n 3"]
    labels: Int[Tensor, " b"]
    index: Int[Tensor, " b"]
    names: tuple[str, ...] = ()
    finite: bool = False
    features: Float[Tensor, "b n c"] | None = None
    feature_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """ValueError unless the features are as wide as their kinds say."""
        found = 0 if self.features is None else self.features.shape[-1]
        if unknown := [kind for kind in self.feature_names if kind not in KINDS]:
            raise ValueError(f"a kind of feature is one of {', '.join(KINDS)}, not {unknown[0]!r}")
        if found != width(self.feature_names):
            kinds = ", ".join(f"{kind} ({KINDS[kind]})" for kind in self.feature_names) or "none"
            raise ValueError(f"features have {found} channels, their kinds {width(self.feature_names)}: {kinds}")

    def __len__(self) -> int:
        """Number of clouds B."""
        return len(self.points)

    @classmethod
    def of(cls, given: Any, kinds: Sequence[str] = ()) -> PointBatch:
        """What a model of point clouds was called with as a batch: numbers (B, N, 3 + C), or a batch already.

        Args:
            given: coordinates, and behind them the features that the model takes, in its order.
            kinds: of these features.

        Raises:
            InputError: it is neither; says what to pass.
        """
        if isinstance(given, cls):
            return given
        if advice := _advice(given, 3 + width(kinds)):
            raise InputError(f"{_taken(kinds)}; this is {described(given)}: {advice}")
        features = given[..., 3:] if kinds else None
        labels, index = torch.full((len(given),), -1), torch.arange(len(given))
        return cls(given[..., :3], labels, index, features=features, feature_names=tuple(kinds))

    @classmethod
    def random(cls, size: int, points: int, seed: int = 0, kinds: Sequence[str] = ()) -> PointBatch:
        """``size`` normal clouds of two classes, without ties; features of some kinds likewise."""
        random = torch.Generator().manual_seed(seed)
        clouds = torch.randn(size, points, 3, generator=random)
        features = torch.randn(size, points, width(kinds), generator=random) if kinds else None
        labels, index = torch.arange(size) % 2, torch.arange(size)
        return cls(clouds, labels, index, features=features, feature_names=tuple(kinds))

    def channels(self, kinds: Sequence[str]) -> Float[Tensor, "b n c"] | None:
        """The features of these kinds and no others, in this order; None for no kinds.

        Raises:
            InputError: the points do not carry one of them; says which, and what gives it.
        """
        if tuple(kinds) == self.feature_names:
            return self.features
        if advice := lacking(self.feature_names, kinds):
            raise InputError(advice)
        if self.features is None or not kinds:
            return None
        parts = dict(zip(self.feature_names, self.features.split([KINDS[kind] for kind in self.feature_names], -1)))
        return torch.cat([parts[kind] for kind in kinds], -1)

    def settled(self) -> PointBatch:
        """The same batch after a look at its coordinates and features; ValueError names a point that is not finite."""
        if not self.finite:
            check_points(self.points, self.features, self.feature_names)
        return replace(self, finite=True)

    def to(self, device: torch.device | str) -> PointBatch:
        """The same batch, settled, on another device."""
        points, labels, index = (values.to(device) for values in (self.points, self.labels, self.index))
        features = None if self.features is None else self.features.to(device)
        return replace(self.settled(), points=points, labels=labels, index=index, features=features)


def _taken(kinds: Sequence[str]) -> str:
    """What a model that takes these features is called with."""
    named, size = f"coordinates x, y, z{''.join(f', then {kind}' for kind in kinds)}", 3 + width(kinds)
    return (
        f"a model of point clouds takes {named} as a floating point tensor (B, N, {size}), e.g. "
        f"model(torch.randn(2, 1024, {size})), or a PointBatch"
    )


def _advice(given: Any, size: int) -> str:
    """What to write in place of what is no (B, N, size) of fractions; "" for what is."""
    if isinstance(given, list | tuple) and given and all(isinstance(cloud, Tensor) for cloud in given):
        return "clouds of one size become one tensor by torch.stack(clouds)"
    if isinstance(given, str | Path) or (isinstance(given, list | tuple) and given):
        return (
            'files are read by load_option("data", "point_folder", {"root": "."}).read([path]) of geo_lm4ve.options, '
            "which gives a batch"
        )
    if not isinstance(given, Tensor):
        return "numbers become a tensor by torch.as_tensor(points, dtype=torch.float32)"
    if given.dim() == 2:
        return "add the batch axis, model(points[None])"
    if given.dim() == 3 and given.shape[1] in (3, size) and given.shape[2] not in (3, size):
        return "coordinates come last, model(points.transpose(1, 2))"
    if given.dim() == 3 and given.shape[2] > size:
        rest = "is no coordinate" if size == 3 else "the model does not take"
        return f"leave out what {rest}, model(points[..., :{size}])"
    if given.dim() == 3 and 3 <= given.shape[2] < size:
        return f"put {size - 3} features behind the coordinates, model(torch.cat([points, features], -1))"
    if given.dim() != 3 or given.shape[2] < 3 or not len(given):
        return "three coordinates of each of N points of each of B >= 1 clouds"
    return "" if given.is_floating_point() else "make it fractions, model(points.float())"
