"""The paper's controls: what an experiment must beat before a pretrained block deserves the credit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from geo_lm4ve.blocks.architectures import width
from geo_lm4ve.blocks.base import Block, BlockConfig, BlockError, BlockReference, LayerWeights, zero_padding
from geo_lm4ve.blocks.choices import FinalNorm, StoredAs, Train
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.frozen import FrozenBlock, PretrainedBlockConfig
from geo_lm4ve.config import register
from geo_lm4ve.tokens import Kept, take


@register("block", "identity")
@dataclass
class IdentityConfig(BlockConfig):
    """No block and so no adapters: the plain backbone."""

    trained_only: ClassVar[bool] = True
    name: str = "identity"

    def build(self) -> Identity:
        """The identity."""
        return Identity().built_from(self)


class Identity(Block):
    """Tokens as they are, padding zeroed."""

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n d"]:
        """``x`` at valid positions."""
        return zero_padding(x, valid)


@register("block", "mlp")
@dataclass
class MLPConfig(BlockConfig):
    """The paper's capacity control (section 5.1): adapters with GELU and LayerNorm between them instead of a block.

    Attributes:
        like: name of the architecture whose width it copies, so that it trains as much as a block of that width.
        width: D itself; overrides ``like``.
    """

    trained_only: ClassVar[bool] = True
    name: str = "mlp"
    like: str = "smollm2_135m"
    width: int | None = None

    def build(self) -> MLPControl:
        """The control at the chosen width."""
        return MLPControl(self.width if self.width is not None else width(self.like)).built_from(self)


class MLPControl(Block):
    """LayerNorm(GELU(x)), trained: with its adapters d -> D -> d an MLP of the block's trainable size (plus 2 D)."""

    dim: int

    def __init__(self, dim: int):
        super().__init__()
        self.dim = dim
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Float[Tensor, "b n d"], valid: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, "b n d"]:
        """Each token by itself; padding gives zeros."""
        return zero_padding(self.norm(nn.functional.gelu(x)), valid)

    def at(
        self,
        x: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
        kept: Kept | None = None,
    ) -> Float[Tensor, "b q d"]:
        """Those tokens; the others do not matter."""
        return self(x, valid) if rows is None else self(take(x, rows), take(valid, rows))


@register("block", "random")
@dataclass
class RandomBlockConfig(BlockConfig):
    """Layers of an architecture with random weights.

    The paper's "random LLM" is trained end to end (appendix B.2: ``train: full``); a frozen one asks whether
    pretraining matters at all, which the paper did not test.

    Attributes:
        like: name of the architecture.
        layers: how many of its last layers.
        train: ``frozen`` or ``full``.
        final_norm: norm after the layers: ``ones`` or ``off`` (fresh weights are ones anyway).
        dtype: in which matrices are held.
        seed: of the draw.
    """

    name: str = "random"
    like: str = "smollm2_135m"
    layers: int = 1
    train: Train = Train.frozen
    final_norm: FinalNorm = FinalNorm.ones
    dtype: StoredAs = StoredAs.stored
    seed: int = 0

    def build(self) -> FrozenBlock:
        """The drawn block."""
        if self.layers < 1:
            raise BlockError(f"block.layers counts layers: at least 1, got {self.layers}")
        block = FrozenBlock.from_source(
            f"random:{self.like}",
            range(-self.layers, 0),
            train=self.train,
            final_norm=self.final_norm,
            dtype=self.dtype,
            seed=self.seed,
        )
        return block.built_from(self)


@register("block", "permuted")
@dataclass
class PermutedBlockConfig(PretrainedBlockConfig):
    """Pretrained layers whose matrix entries are shuffled: the same values, none of the structure.

    Norms and biases stay in place. ``seed`` chooses the permutation.
    """

    name: str = "permuted"

    def weights(self) -> LayerWeights:
        """The shuffled layers."""
        return permuted(super().weights(), self.seed)


def permuted(weights: LayerWeights, seed: int) -> LayerWeights:
    """The same layers with the entries of each matrix shuffled by a seeded permutation.

    The reference's source becomes ``permuted:`` + source, its fingerprint that of the shuffled tensors.
    """
    generator = torch.Generator().manual_seed(seed)

    def shuffle(tensor: Tensor) -> Tensor:
        if tensor.dim() < 2:
            return tensor
        order = torch.randperm(tensor.numel(), generator=generator, device="cpu")
        return tensor.flatten()[order].view(tensor.shape)

    layers = tuple({key: shuffle(layer[key]) for key in sorted(layer)} for layer in weights.layers)
    origin = weights.reference
    return replace(
        weights,
        layers=layers,
        reference=BlockReference(f"permuted:{origin.source}", origin.layers, fingerprint(layers)),
    )
