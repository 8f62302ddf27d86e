"""Point-BERT: groups of points -> mini-PointNet tokens + class token -> transformer blocks (arXiv 2111.14819)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.geometry.grouping import gather, group
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.layers.transformer import TransformerBlock
from geo_lm4ve.parts.encoder import Encoder
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.encoders.config import PointEncoderConfig
from geo_lm4ve.points.encoders.mini_pointnet import MiniPointNet
from geo_lm4ve.tokens import TokenSet


@register("encoder", "point_bert")
@dataclass
class PointBertConfig(PointEncoderConfig):
    """Point-BERT's classification encoder (official class ``PointTransformer``, models/Point_BERT.py).

    Its stages are ``embed``, ``block_0``, ..., ``block_<depth-1>``. The weights do not depend on the number of groups
    nor on their size. Point-MAE is the same encoder with ``encoder_dim`` equal to ``dim``. Published models take no
    ``features``; where there are some, the mini-PointNet takes them beside the offsets from the center.

    Attributes:
        dim: token width.
        depth: number of transformer blocks.
        heads: attention heads; divides ``dim``.
        num_groups: groups, hence tokens besides the class token (64 for 1024 points, 128 for 2048, 256 for 4096,
            512 for 8192).
        group_size: points per group, the center included.
        pointnet_width: width of the mini-PointNet's first layer; the next ones are 2 and 4 times as wide.
        encoder_dim: width of the mini-PointNet's output; where it equals ``dim`` there is no projection after it.
        mlp_ratio: hidden width of a block's MLP as a multiple of ``dim``.
        drop_path: probability that a sample skips a residual branch of the last block in training; rises linearly
            from 0 at the first block.
        skip_near_origin: squared distance to the origin up to which a point is never chosen as a center (1e-3 in the
            CUDA operator behind the published numbers, which so leaves holes round the origin); 0: no such rule.
    """

    offers: ClassVar[frozenset[str] | None] = frozenset({"cls", "groups", "position_embedding"})

    name: str = "point_bert"
    dim: int = 384
    depth: int = 12
    heads: int = 6
    num_groups: int = 64
    group_size: int = 32
    pointnet_width: int = 128
    encoder_dim: int = 256
    mlp_ratio: float = 4.0
    drop_path: float = 0.1
    skip_near_origin: float = 0.0

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        super().__post_init__()
        for key in ("dim", "depth", "heads", "num_groups", "group_size", "pointnet_width", "encoder_dim"):
            if getattr(self, key) < 1:
                raise ConfigError(f"encoder.{key} must be at least 1, not {getattr(self, key)}")
        if self.dim % self.heads:
            raise ConfigError(f"encoder.dim {self.dim} must be a multiple of encoder.heads {self.heads}")
        if int(self.dim * self.mlp_ratio) < 1:
            raise ConfigError(f"encoder.mlp_ratio {self.mlp_ratio} leaves no hidden units at encoder.dim {self.dim}")
        if not 0 <= self.drop_path < 1:
            raise ConfigError(f"encoder.drop_path must be in [0, 1), not {self.drop_path}")
        if self.skip_near_origin < 0:
            raise ConfigError(f"encoder.skip_near_origin must not be negative, not {self.skip_near_origin}")

    def build(self) -> PointBert:
        """The encoder with PyTorch's default initialisation, as in the official fine-tuning class."""
        return PointBert(self)

    def sample_batch(self, size: int = 2, seed: int = 0) -> PointBatch:
        """Clouds of twice as many points as there are groups, or as a group needs."""
        return PointBatch.random(size, max(2 * self.num_groups, self.group_size), seed, self.features)


class PointEmbedding(nn.Module):
    """First stage: a point cloud becomes a class token and one token per group of neighbouring points.

    The spans are ``cls`` (one token) and ``groups``; ``positions`` are the group centers in the cloud's unit, zero for
    the class token; ``context["position_embedding"]`` (B, N, D) is what each block adds to its input.
    """

    def __init__(self, config: PointBertConfig):
        super().__init__()
        self.num_groups, self.group_size = config.num_groups, config.group_size
        self.skip_near_origin, self.features = config.skip_near_origin, tuple(config.features)
        self.pointnet = MiniPointNet(config.encoder_dim, config.pointnet_width, config.channels)
        same = config.encoder_dim == config.dim
        self.projection = nn.Identity() if same else nn.Linear(config.encoder_dim, config.dim)
        self.position_mlp = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, config.dim))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim))
        self.cls_position = nn.Parameter(torch.randn(1, 1, config.dim))

    def group(
        self, points: Float[Tensor, "b n 3"], finite: bool = False, features: Float[Tensor, "b n c"] | None = None
    ) -> tuple[Float[Tensor, "b g m k"], Float[Tensor, "b g 3"]]:
        """Groups of points relative to their centers (no division by a radius), and the centers.

        Centers by farthest point sampling from point 0, each with its ``group_size`` nearest points and their features
        as they are; ``finite`` says that all numbers are known to be so.

        Raises:
            ConfigError: fewer points than groups or than points per group.
        """
        if points.shape[1] < max(self.num_groups, self.group_size):
            raise ConfigError(
                f"clouds of {points.shape[1]} points cannot give {self.num_groups} groups of {self.group_size}; lower "
                "encoder.num_groups or encoder.group_size, or use more points (data.points)"
            )
        chosen = farthest_point_sample(points, self.num_groups, skip_near_origin=self.skip_near_origin, finite=finite)
        centers = gather(points, chosen)
        offsets, nearest = group(points, centers, self.group_size, finite=finite)
        if features is None:
            return offsets, centers
        return torch.cat([offsets, gather(features, nearest).to(offsets.dtype)], dim=-1), centers

    def forward(self, batch: PointBatch) -> TokenSet:
        """Tokens of a batch of clouds, in the weights' precision; the grouping happens in the points' own."""
        batch = batch.settled()
        grouped = self.group(batch.points, batch.finite, batch.channels(self.features))
        groups, centers = (part.to(self.cls_token.dtype) for part in grouped)
        features = self.projection(self.pointnet(groups))
        embedding = self.position_mlp(centers)
        size, count = features.shape[:2]
        return TokenSet.full(
            features=torch.cat([self.cls_token.expand(size, 1, -1), features], dim=1),
            spans={"cls": (0, 1), "groups": (1, 1 + count)},
            positions=torch.cat([centers.new_zeros(size, 1, 3), centers], dim=1),
            context={"position_embedding": torch.cat([self.cls_position.expand(size, 1, -1), embedding], dim=1)},
        )


class PositionedBlock(TransformerBlock):
    """A transformer block as a stage: the position embedding is added to the input of every block, not once."""

    def forward(self, tokens: TokenSet) -> TokenSet:
        """The token set with features block(features + position embedding)."""
        positioned = tokens.features + tokens.context["position_embedding"]
        return super().forward(tokens.replace(features=positioned))


class PointBert(Encoder):
    """PointBatch -> TokenSet, in the stages ``embed``, ``block_0``, ... of equal width.

    Attributes:
        embedding: class of the first stage.
    """

    embedding: ClassVar[type[PointEmbedding]] = PointEmbedding

    def __init__(self, config: PointBertConfig):
        super().__init__()
        self.features = tuple(config.features)
        self.stages = nn.ModuleDict({"embed": self.embedding(config)})
        for i in range(config.depth):
            rate = config.drop_path * i / max(1, config.depth - 1)
            self.stages[f"block_{i}"] = PositionedBlock(config.dim, config.heads, config.mlp_ratio, rate)
        self.dims = dict.fromkeys(self.stages, config.dim)

    def taken(self, given: Any) -> PointBatch:
        """Coordinates (B, N, 3) with the features behind them, or a PointBatch."""
        return PointBatch.of(given, self.features)
