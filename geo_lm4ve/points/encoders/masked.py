"""Point-BERT's encoder with most groups hidden, for masked point modelling as in Point-MAE (arXiv 2203.06604)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from jaxtyping import Int, Int64
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.encoders.point_bert import PointBert, PointBertConfig, PointEmbedding
from geo_lm4ve.tokens import TokenSet


@register("encoder", "point_mae_masked")
@dataclass
class MaskedPointBertConfig(PointBertConfig):
    """The encoder of Point-MAE's pre-training (official class ``MaskTransformer``, models/Point_MAE.py).

    It has Point-BERT's weights but for the class token, and sees the visible groups alone: hidden ones pass neither the
    mini-PointNet nor a block. (The official class sends all groups through the mini-PointNet and drops the hidden
    tokens then: the same tokens, with batch norm's statistics over all groups.)

    Attributes:
        mask_ratio: part of the groups that is hidden, rounded down to whole groups; drawn at random in training, the
            same for the same row of a split in evaluation.
    """

    offers: ClassVar[frozenset[str] | None] = frozenset(
        {"visible", "position_embedding", "visible_points", "hidden_groups", "hidden_centers"}
    )
    pretrained_spans: ClassVar[tuple[str, ...]] = ("groups",)
    default_head: ClassVar[str] = "mask_decoder"

    name: str = "point_mae_masked"
    encoder_dim: int = 384
    mask_ratio: float = 0.6

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        super().__post_init__()
        if not 0 < self.mask_ratio < 1 or not self.hidden:
            raise ConfigError(
                "encoder.mask_ratio must be between 0 and 1 and hide at least one of "
                f"encoder.num_groups={self.num_groups} groups, not {self.mask_ratio}"
            )

    @property
    def hidden(self) -> int:
        """How many groups are hidden."""
        return int(self.mask_ratio * self.num_groups)

    def build(self) -> MaskedPointBert:
        """The encoder, initialised as the official class: linear layers truncated normal of std 0.02, biases zero."""
        return MaskedPointBert(self)

    def unmasked(self) -> PointBertConfig:
        """Point-BERT of the same sizes, which takes these weights."""
        kept = {field.name: getattr(self, field.name) for field in fields(PointBertConfig) if field.name != "name"}
        return PointBertConfig(**kept)


class MaskedEmbedding(PointEmbedding):
    """First stage: tokens of the visible groups, without a class token.

    The only span is ``visible`` with the visible groups' centers as ``positions``. ``context`` has, besides
    ``position_embedding``, what a decoder is to find: ``hidden_groups`` (B, M, m, 3), the points of the hidden groups
    relative to their centers, and ``hidden_centers`` (B, M, 3); and ``visible_points`` (B, V * m, 3), to be drawn.
    """

    def __init__(self, config: MaskedPointBertConfig):
        super().__init__(config)
        self.hidden = config.hidden
        self.register_parameter("cls_token", None)
        self.register_parameter("cls_position", None)

    def forward(self, batch: PointBatch) -> TokenSet:
        """Tokens of the groups that are visible; which ones these are depends on ``order``."""
        batch = batch.settled()
        dtype = self.pointnet.lift.weight.dtype
        grouped = self.group(batch.points, batch.finite, batch.channels(self.features))
        groups, centers = (part.to(dtype) for part in grouped)
        order = self.order(batch.index)
        (hidden, seen), (hidden_centers, seen_centers) = (
            [gather(part.flatten(2), rows).unflatten(2, part.shape[2:]) for rows in self.divided(order)]
            for part in (groups, centers)
        )
        features = self.projection(self.pointnet(seen))
        return TokenSet.full(
            features=features,
            spans={"visible": (0, features.shape[1])},
            positions=seen_centers,
            context={
                "position_embedding": self.position_mlp(seen_centers),
                "visible_points": (seen[..., :3] + seen_centers[:, :, None]).flatten(1, 2),
                "hidden_groups": hidden[..., :3],
                "hidden_centers": hidden_centers,
            },
        )

    def divided(self, order: Int[Tensor, "b g"]) -> tuple[Int[Tensor, "b h"], Int[Tensor, "b v"]]:
        """The hidden groups and the visible ones, of all groups in the order in which they are hidden."""
        return order[:, : self.hidden], order[:, self.hidden :]

    def order(self, index: Int[Tensor, " b"]) -> Int64[Tensor, "b g"]:
        """The groups of every cloud in the order in which they are hidden.

        In training by torch's generator; in evaluation by a hash of the cloud's row and the group's number, the same
        whatever the batch, the device and the number of processes.
        """
        if self.training:
            scores = torch.rand(len(index), self.num_groups, device=index.device)
        else:
            scores = _hash(index[:, None] * self.num_groups + torch.arange(self.num_groups, device=index.device))
        return scores.argsort(dim=1, stable=True)


def _hash(number: Int[Tensor, "b g"]) -> Int64[Tensor, "b g"]:
    """32-bit mix of numbers (two rounds of multiplication and xor-shift), in int64 so that every device has it."""
    low = 0xFFFFFFFF
    mixed = (number.long() + 0x9E3779B9) & low
    for factor in (0x7FEB352D, 0x6C62272F):  # odd and below 2^31: products stay below 2^63
        mixed = ((mixed ^ (mixed >> 16)) * factor) & low
    return mixed ^ (mixed >> 16)


class MaskedPointBert(PointBert):
    """PointBatch -> TokenSet of the visible groups, in the stages of Point-BERT."""

    embedding = MaskedEmbedding

    def __init__(self, config: MaskedPointBertConfig):
        super().__init__(config)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
