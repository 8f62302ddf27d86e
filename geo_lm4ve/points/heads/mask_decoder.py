"""Decoder of masked point modelling: mask tokens at the hidden centers become the points of the hidden groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.head import Head, HeadConfig
from geo_lm4ve.points.encoders.point_bert import PositionedBlock
from geo_lm4ve.tokens import TokenSet


@dataclass(frozen=True)
class Reconstruction:
    """What was hidden, and what a decoder took it for.

    Attributes:
        predicted: points of the hidden groups relative to their centers, as predicted; as many per group as the head
            has outputs.
        hidden: the points themselves, relative to the centers.
        centers: of the hidden groups.
        visible: points of the visible groups, in the cloud's place.
    """

    predicted: Float[Tensor, "b h p 3"]
    hidden: Float[Tensor, "b h m 3"]
    centers: Float[Tensor, "b h 3"]
    visible: Float[Tensor, "b n 3"]


@register("head", "mask_decoder")
@dataclass
class MaskDecoderConfig(HeadConfig):
    """Point-MAE's decoder (official class ``Point_MAE``); only pre-training uses it.

    Attributes:
        depth: transformer blocks.
        heads: attention heads of each; divides the token width.
        mlp_ratio: hidden width of a block's MLP as a multiple of the token width.
        drop_path: as of Point-BERT's encoder: of the last block, rising linearly from 0 at the first.
    """

    name: str = "mask_decoder"
    depth: int = 4
    heads: int = 6
    mlp_ratio: float = 4.0
    drop_path: float = 0.1

    default_outputs: ClassVar[int | None] = 32
    gives: ClassVar[type | None] = Reconstruction
    lasting: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("depth", "heads"):
            if getattr(self, key) < 1:
                raise ConfigError(f"head.{key} must be at least 1, not {getattr(self, key)}")
        if not 0 <= self.drop_path < 1:
            raise ConfigError(f"head.drop_path must be in [0, 1), not {self.drop_path}")

    def needs(self) -> frozenset[str] | None:
        """Tokens of the visible groups, and what is hidden."""
        return frozenset({"visible", "visible_points", "hidden_groups", "hidden_centers"})

    def build(self, dim: int, outputs: int) -> MaskDecoder:
        """The decoder for tokens of width ``dim``, which gives ``outputs`` points per hidden group."""
        return MaskDecoder(self, dim, outputs)


class MaskDecoder(Head):
    """TokenSet of visible groups -> Reconstruction.

    Attributes:
        norm: the backbone's own final LayerNorm, as in the classification head, which goes on with its weights.
        mask_token: stands for every hidden group.
        position_mlp: embeds the centers of visible and hidden groups; the encoder has another one.
        blocks: the decoder's transformer blocks; each adds the position embedding to its input.
        decoder_norm: the decoder's final LayerNorm.
        prediction: width -> 3 coordinates of every point of a group.
    """

    norm_first = True
    reads = ("visible",)

    def __init__(self, config: MaskDecoderConfig, dim: int, outputs: int):
        super().__init__()
        if dim % config.heads:
            raise ConfigError(f"head.heads={config.heads} must divide the width {dim} of the encoder's tokens")
        self.dim = dim
        self.norm = nn.LayerNorm(dim)
        self.mask_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        self.position_mlp = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, dim))
        rates = [config.drop_path * i / max(1, config.depth - 1) for i in range(config.depth)]
        self.blocks = nn.Sequential(*(PositionedBlock(dim, config.heads, config.mlp_ratio, rate) for rate in rates))
        self.decoder_norm = nn.LayerNorm(dim)
        self.prediction = nn.Linear(dim, 3 * outputs)
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, tokens: TokenSet) -> Reconstruction:
        """What the hidden groups are taken for, from the visible tokens and all centers."""
        seen, centers = tokens.select("visible"), tokens.context["hidden_centers"]
        if seen.positions is None:
            raise ValueError("a mask decoder needs the centers of the visible groups as positions of their tokens")
        features = self.norm(seen.features)
        hidden = self.mask_token.to(features.dtype).expand(len(features), centers.shape[1], -1)
        given = TokenSet.full(
            features=torch.cat([features, hidden], dim=1),
            spans={
                "visible": (0, features.shape[1]),
                "hidden": (features.shape[1], features.shape[1] + hidden.shape[1]),
            },
            context={"position_embedding": self.position_mlp(torch.cat([seen.positions, centers], dim=1))},
        )
        decoded = self.decoder_norm(self.blocks(given).select("hidden").features)
        return Reconstruction(
            predicted=self.prediction(decoded).unflatten(-1, (-1, 3)),
            hidden=tokens.context["hidden_groups"],
            centers=centers,
            visible=tokens.context["visible_points"],
        )
