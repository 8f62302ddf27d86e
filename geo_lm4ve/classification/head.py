"""Classification head: norm, pooled spans side by side, MLP -> class scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.layers.transformer import draw_linear
from geo_lm4ve.parts.head import Head, HeadConfig
from geo_lm4ve.tokens import TokenSet

Pooling = Enum("Pooling", ["first", "max", "mean"])
"""How the tokens of one span become one vector: its first token, or maximum or mean over its valid tokens."""

HiddenNorm = Enum("HiddenNorm", ["none", "batch"])
"""What follows a hidden layer before its ReLU: nothing (Point-BERT) or batch norm (Point-MAE, PointNeXt)."""


@register("head", "classification")
@dataclass
class ClassificationConfig(HeadConfig):
    """Point-BERT's fine-tuning head: class token beside the maximum over the groups, then an MLP.

    Attributes:
        reads: names of the spans that reach the prediction; one may come twice, with two poolings.
        pooling: how each of them becomes one vector.
        hidden: widths of the hidden layers, each followed by ``norm``, ReLU and dropout.
        norm: norm of the hidden layers.
        bias: the hidden layers have a bias; the last layer always has one.
        layer_norm: a LayerNorm of the tokens before they are pooled, the backbone's own final one; PointNeXt has none.
        norm_pooled: that LayerNorm is of the pooled vector instead (VideoMAE).
        norm_epsilon: of that LayerNorm.
        dropout: probability that a hidden unit is dropped in training.
        init_scale: factor of the last layer's first weights, drawn from a truncated normal distribution of deviation
            0.02, and zero biases (VideoMAE: 0.001); None: PyTorch's own.
    """

    name: str = "classification"
    reads: list[str] = field(default_factory=lambda: ["cls", "groups"])
    pooling: list[Pooling] = field(default_factory=lambda: [Pooling.first, Pooling.max])
    hidden: list[int] = field(default_factory=lambda: [256])
    norm: HiddenNorm = HiddenNorm.none
    bias: bool = True
    layer_norm: bool = True
    norm_pooled: bool = False
    norm_epsilon: float = 1e-5
    dropout: float = 0.5
    init_scale: float | None = None

    default_outputs: ClassVar[int | None] = 40
    gives: ClassVar[type | None] = Tensor

    def needs(self) -> frozenset[str] | None:
        """The spans that it pools."""
        return frozenset(self.reads)

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        if not self.reads or len(self.reads) != len(self.pooling):
            raise ConfigError(
                f"head.reads {self.reads} and head.pooling {[mode.name for mode in self.pooling]} must be of one "
                "length and not empty: one pooling per span"
            )
        if any(width < 1 for width in self.hidden):
            raise ConfigError(f"head.hidden must hold widths of at least 1, not {self.hidden}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"head.dropout must be in [0, 1), not {self.dropout}")
        if self.norm_pooled and not self.layer_norm:
            raise ConfigError(
                "head.norm_pooled=true says where the LayerNorm is, head.layer_norm=false that there is none"
            )
        if self.init_scale is not None and self.init_scale <= 0:
            raise ConfigError(f"head.init_scale must be above 0, or null for PyTorch's own, not {self.init_scale}")

    def build(self, dim: int, outputs: int) -> ClassificationHead:
        """The head for tokens of width ``dim`` and ``outputs`` classes."""
        return ClassificationHead(self, dim, outputs)


class ClassificationHead(Head):
    """TokenSet -> (B, C) class scores, before any softmax.

    Attributes:
        norm: the backbone's own final LayerNorm, where it has one, of tokens or of what they are pooled to; it is here
            because the block of the paper stands before it.
        mlp: linear layers, the last of which gives the scores.
    """

    def __init__(self, config: ClassificationConfig, dim: int, outputs: int):
        super().__init__()
        if dim < 1 or outputs < 1:
            raise ConfigError(f"a classification head needs width and classes of at least 1, not {dim} and {outputs}")
        self.dim = dim
        self.reads = tuple(dict.fromkeys(config.reads))
        self.pooling = tuple((span, mode.name) for span, mode in zip(config.reads, config.pooling))
        self.norm_pooled = config.norm_pooled
        self.norm_first = config.layer_norm and not config.norm_pooled
        widths = [dim * len(self.pooling), *config.hidden]
        normed = widths[0] if config.norm_pooled else dim
        self.norm = nn.LayerNorm(normed, config.norm_epsilon) if config.layer_norm else nn.Identity()
        layers: list[nn.Module] = []
        for width, hidden in zip(widths, config.hidden):
            norm = [nn.BatchNorm1d(hidden)] if config.norm is HiddenNorm.batch else []
            layers += [nn.Linear(width, hidden, bias=config.bias), *norm, nn.ReLU(), nn.Dropout(config.dropout)]
        self.mlp = nn.Sequential(*layers, nn.Linear(widths[-1], outputs))
        if config.init_scale is not None:
            draw_linear(self.mlp[-1], config.init_scale)

    def forward(self, tokens: TokenSet) -> Float[Tensor, "b c"]:
        """Class scores."""
        return self.mlp(self.pool(tokens))

    def pool(self, tokens: TokenSet) -> Float[Tensor, "b f"]:
        """The pooled spans side by side, in the configured order: what the MLP sees."""
        read = self.normed(tokens.select(*self.reads))
        pooled = torch.cat([read.pool(mode, span) for span, mode in self.pooling], dim=-1)
        return self.norm(pooled) if self.norm_pooled else pooled

    def normed(self, tokens: TokenSet) -> TokenSet:
        """The tokens as they are pooled: after the LayerNorm, unless it comes after the pooling or there is none."""
        return tokens.replace(features=self.norm(tokens.features)) if self.norm_first else tokens
