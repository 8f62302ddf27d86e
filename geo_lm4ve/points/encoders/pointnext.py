"""PointNeXt: a hierarchy of ever fewer points, each with a feature out of its neighbourhood (arXiv 2206.04670)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.encoder import Encoder
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.encoders.config import PointEncoderConfig
from geo_lm4ve.points.encoders.pointnext_layers import SPAN, GroupAll, SetAbstraction, point_tokens
from geo_lm4ve.points.features import KINDS, as_list
from geo_lm4ve.tokens import TokenSet

HALVINGS = 4
"""Set abstraction stages, each of which keeps every second point."""

MEANT = {4: ("height",), 6: ("normal",)}
"""Input channels -> the features that users of PointNeXt mean by so many."""


@register("encoder", "pointnext")
@dataclass
class PointNextConfig(PointEncoderConfig):
    """PointNeXt's classification encoder (official class ``PointNextEncoder``, models/backbone/pointnext.py).

    Its stages are ``stem`` (every point, width w), ``sa_1`` ... ``sa_4`` (a half of the points each time, width 2 w,
    4 w, 8 w, 16 w) and ``all`` (one token per cloud). The bridge follows ``sa_4`` unless ``bridge.after`` names another
    stage: 64 tokens for 1,024 points, with their coordinates as ``positions``; after ``all`` there is only one. All
    tokens are in the span ``points``. The defaults are those of PointNeXt-S for ModelNet40.

    The neighbourhood of a point is its first ``neighbours`` points in index order, and sampling starts at point 0: the
    features depend on the order of the points. Clouds have no padding.

    Attributes:
        width: width w of the stem.
        blocks: layers of each of the four set abstraction stages: one, and inverted residual MLPs.
        in_channels: channels of its input, the three coordinates included; None: as ``features`` say. Without them, 4
            stand for ``height`` (the official models for ScanObjectNN) and 6 for ``normal``.
        radius: of the neighbourhoods of ``sa_1``, in the unit of the points.
        radius_scaling: each stage's radius is so many times the one before it, and inverted residual MLPs have the
            next stage's.
        neighbours: points of a neighbourhood; where there are fewer, the first one is repeated.
        sa_layers: layers of the MLP in set abstraction; all but the last are half as wide.
        sa_residual: the sampled point's own feature is added to that of its neighbourhood.
        expansion: hidden width of inverted residual MLPs as a multiple of their width.
    """

    offers: ClassVar[frozenset[str] | None] = frozenset({SPAN})

    name: str = "pointnext"
    width: int = 32
    blocks: list[int] = field(default_factory=lambda: [1] * HALVINGS)
    in_channels: int | None = None
    radius: float = 0.15
    radius_scaling: float = 1.5
    neighbours: int = 32
    sa_layers: int = 2
    sa_residual: bool = True
    expansion: int = 4

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("width", "neighbours", "sa_layers", "expansion"):
            if getattr(self, key) < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {getattr(self, key)}")
        if len(self.blocks) != HALVINGS or min(self.blocks) < 1:
            raise ConfigError(f"encoder.blocks must hold {HALVINGS} numbers of at least 1, not {self.blocks}")
        for key in ("radius", "radius_scaling"):
            if not 0 < getattr(self, key) < float("inf"):
                raise ConfigError(f"encoder.{key} must be a positive number, not {getattr(self, key)}")
        if self.in_channels in MEANT and not self.features:
            self.features = list(MEANT[self.in_channels])
        super().__post_init__()
        if self.in_channels not in (None, self.channels):
            raise ConfigError(
                f"encoder.in_channels={self.in_channels}: x, y, z and encoder.features={as_list(self.features)} are "
                f"{self.channels} channels; say what the others are in encoder.features ({', '.join(KINDS)})"
            )
        self.in_channels = self.channels

    def radii(self) -> list[float]:
        """Radius of each set abstraction stage, and one more: a stage's inverted residual MLPs have the next."""
        return [self.radius * self.radius_scaling**stage for stage in range(HALVINGS + 1)]

    def widths(self) -> list[int]:
        """Width of the stem and of each set abstraction stage."""
        return [self.width * 2**stage for stage in range(HALVINGS + 1)]

    def build(self) -> PointNext:
        """The encoder with PyTorch's default initialisation, as the official one has."""
        return PointNext(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> PointBatch:
        """Clouds of 64 points, with the features that it takes."""
        return PointBatch.random(size, 4 * 2**HALVINGS, seed, self.features)


class PointStem(nn.Module):
    """First stage: a linear layer on the channels of every point."""

    def __init__(self, config: PointNextConfig):
        super().__init__()
        self.features = tuple(config.features)
        self.linear = nn.Linear(config.channels, config.width)

    def forward(self, batch: PointBatch) -> TokenSet:
        """A token per point, in the weights' precision; ``positions`` stay in that of the points.

        Raises:
            ConfigError: too few points.
            InputError: the clouds lack a point feature that it takes.
        """
        if batch.points.shape[1] < 2**HALVINGS:
            raise ConfigError(
                f"clouds of {batch.points.shape[1]} points cannot be halved {HALVINGS} times; use at least "
                f"{2**HALVINGS} points (data.points)"
            )
        batch = batch.settled()
        features = batch.channels(self.features)
        x = batch.points if features is None else torch.cat([batch.points, features.to(batch.points.dtype)], dim=2)
        return point_tokens(self.linear(x.to(self.linear.weight.dtype)), batch.points)


class PointNext(Encoder):
    """PointBatch -> TokenSet, in the stages ``stem``, ``sa_1`` ... ``sa_4``, ``all``."""

    def __init__(self, config: PointNextConfig):
        super().__init__()
        self.features = tuple(config.features)
        radii, widths = config.radii(), config.widths()
        self.stages = nn.ModuleDict({"stem": PointStem(config)})
        for stage, (inputs, outputs) in enumerate(pairwise(widths)):
            hidden = [outputs // 2] * (config.sa_layers - 1)
            self.stages[f"sa_{1 + stage}"] = SetAbstraction(
                [inputs, *hidden, outputs], radii[stage], config.neighbours, ordered=stage > 0,
                residual=config.sa_residual, blocks=config.blocks[stage] - 1, block_radius=radii[1 + stage],
                expansion=config.expansion,
            )  # fmt: skip
        self.stages["all"] = GroupAll([widths[-1]] * (1 + config.sa_layers))
        self.dims = dict(zip(self.stages, [*widths, widths[-1]]))

    @property
    def tap(self) -> str:
        """The last set abstraction: after the stage behind it there is one token per cloud, and nothing to filter."""
        return list(self.stages)[-2]

    def taken(self, given: Any) -> PointBatch:
        """Coordinates (B, N, 3), with the features that it takes (B, N, 3 + C), or a PointBatch."""
        return PointBatch.of(given, self.features)
