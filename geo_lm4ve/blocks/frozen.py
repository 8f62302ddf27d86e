"""FrozenBlock: consecutive layers of a language model and the norm after them, frozen, fine-tuned or with LoRA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from omegaconf import MISSING
from torch import Tensor, nn

from geo_lm4ve.blocks.assembly import filled_layers, filled_norm, is_ours
from geo_lm4ve.blocks.base import Block, BlockConfig, BlockError, LayerWeights, zero_padding
from geo_lm4ve.blocks.choices import FinalNorm, Implementation, StoredAs, Train, choice, held_dtype
from geo_lm4ve.blocks.gated_architecture import traits
from geo_lm4ve.blocks.policy import AttentionPolicy
from geo_lm4ve.blocks.precision import autocasting, residual_stream
from geo_lm4ve.blocks.weights import load_layers
from geo_lm4ve.calls import described
from geo_lm4ve.config import register
from geo_lm4ve.lora import LoraOptions, add_lora
from geo_lm4ve.reading import reading
from geo_lm4ve.slim import changed, keep_frozen_out
from geo_lm4ve.tokens import Kept, take

_COMPUTABLE = ("a decoder layer that can be computed", "look at its config, or take the model from another source")


@register("block", "pretrained")
@dataclass
class PretrainedBlockConfig(BlockConfig):
    """Layers of a language model, or of a vision transformer, between the adapters (paper section 3).

    Attributes:
        source: where the weights are: hub:REPO[@REVISION], dir:PATH, meta:PATH, gguf:PATH, package:NAME, file:PATH.
        layers: consecutive, ascending indices; negative ones count from the last layer (the paper: the last one).
        final_norm: the norm after the layers: ``ones`` (released code), ``loaded``, ``off``.
        train: ``frozen`` (the paper), ``full`` (its fine-tuning control), ``lora``.
        dtype: in which matrices are held: ``stored``, ``float32``, ``bfloat16``, ``float16``.
        causal: the language model's own mask instead of the padding-only one.
        rotary: the language model's own rotary embedding.
        implementation: ``auto``, ``gated`` (ours), ``hf`` (transformers').
        lora_rank: rank of each update, for ``train: lora``.
        lora_alpha: updates are scaled by lora_alpha / lora_rank.
        lora_dropout: probability of dropping an input of an update while training.
        lora_targets: names of linear layers to update; empty: all.
        seed: of what is drawn (``random:`` sources).
    """

    name: str = "pretrained"
    source: str = MISSING
    layers: list[int] = field(default_factory=lambda: [-1])
    final_norm: FinalNorm = FinalNorm.ones
    train: Train = Train.frozen
    dtype: StoredAs = StoredAs.stored
    causal: bool = False
    rotary: bool = False
    implementation: Implementation = Implementation.auto
    lora_rank: int = 4
    lora_alpha: float = 8.0
    lora_dropout: float = 0.0
    lora_targets: list[str] = field(default_factory=list)
    seed: int = 0

    def weights(self) -> LayerWeights:
        """The layers out of ``source``."""
        return load_layers(self.source, self.layers, final_norm=self.final_norm is FinalNorm.loaded, seed=self.seed)

    def build(self) -> FrozenBlock:
        """The block; BlockError when its weights are not at hand, with what to do."""
        block = FrozenBlock(
            self.weights(),
            final_norm=self.final_norm,
            causal=self.causal,
            rotary=self.rotary,
            dtype=self.dtype,
            train=self.train,
            implementation=self.implementation,
            lora=LoraOptions(self.lora_rank, self.lora_alpha, self.lora_dropout, tuple(self.lora_targets)),
        )
        return block.built_from(self)


class FrozenBlock(Block):
    """1..k consecutive decoder layers, then the final norm.

    >>> import geo_lm4ve, torch
    >>> block = geo_lm4ve.FrozenBlock.from_source("random:smollm2_135m")  # or package:, hub:, dir:, meta:, gguf:, file:
    >>> block(torch.randn(2, 7, 576)).shape
    torch.Size([2, 7, 576])
    >>> block.reference.layers
    (29,)

    Padding is always honoured: a padded batch gives what the unpadded rows give, padded positions give zeros.
    Frozen weights are in no ``state_dict()``; loading one strictly works without them. Those that are trained from
    outside (``requires_grad_(True)``) are in it, and a saved model also holds those that were changed in any other way.
    The output has the dtype of the input, or float32 under autocast.

    Each choice is a member of its Enum (``geo_lm4ve.blocks.choices``) or the name of one.

    Args:
        weights: the layers, as ``load_layers`` takes them out of a model.
        final_norm: ``ones`` (released code), ``loaded`` or ``off``.
        causal, rotary: see AttentionPolicy; the paper drops both.
        dtype: in which matrices are held: ``stored``, ``float32``, ``bfloat16``, ``float16``. It saves memory only;
            products are computed in autocast's dtype or that of the input (see ``compute_dtype``).
        train: ``frozen``, ``full`` or ``lora``.
        implementation: ``auto``, ``gated`` or ``hf``.
        lora: options for ``train="lora"``.

    Raises:
        BlockError: an unknown choice, tensors that are not those of the layers, a final norm asked for that is not
            there, or an implementation that does not know the family.
    """

    def __init__(
        self,
        weights: LayerWeights,
        *,
        final_norm: FinalNorm | str = FinalNorm.ones,
        causal: bool = False,
        rotary: bool = False,
        dtype: StoredAs | str = StoredAs.stored,
        train: Train | str = Train.frozen,
        implementation: Implementation | str = Implementation.auto,
        lora: LoraOptions | None = None,
    ):
        super().__init__()
        if not isinstance(weights, LayerWeights):
            raise BlockError(
                f"FrozenBlock takes LayerWeights, not {described(weights)}: FrozenBlock.from_source(source) reads them"
            )
        with reading(weights.reference.source, BlockError, *_COMPUTABLE):
            full = traits(weights.config)
        self.dim = full.hidden_size
        self.family = full.model_type
        self.reference = weights.reference
        self.policy = AttentionPolicy(causal, rotary)
        self.trained = choice(Train, train, "train")
        self.final_norm = choice(FinalNorm, final_norm, "final_norm")
        ours = is_ours(choice(Implementation, implementation, "implementation"), self.family)
        held = held_dtype(choice(StoredAs, dtype, "dtype"), self.trained)
        with reading(weights.reference.source, BlockError, *_COMPUTABLE):
            self.layers = nn.ModuleList(filled_layers(weights, self.policy, held, ours))
            self.norm = filled_norm(weights, self.final_norm)
        self._set_training(lora or LoraOptions())
        self.train()
        self._witnesses = keep_frozen_out(self)

    @staticmethod
    def from_source(
        source: str,
        layers: int | Sequence[int] = (-1,),
        *,
        final_norm: FinalNorm | str = FinalNorm.ones,
        causal: bool = False,
        rotary: bool = False,
        dtype: StoredAs | str = StoredAs.stored,
        train: Train | str = Train.frozen,
        implementation: Implementation | str = Implementation.auto,
        lora: LoraOptions | None = None,
        seed: int = 0,
    ) -> FrozenBlock:
        """A block out of a language model, of which only these layers are read.

        >>> import geo_lm4ve, torch
        >>> block = geo_lm4ve.FrozenBlock.from_source("random:smollm2_135m")
        >>> block(torch.randn(2, 7, block.dim)).shape
        torch.Size([2, 7, 576])

        Args:
            source: ``hub:REPO[@REVISION]``, ``dir:PATH``, ``meta:PATH``, ``gguf:PATH``, ``package:NAME``,
                ``file:PATH`` or ``random:ARCHITECTURE``.
            layers: consecutive, ascending indices, or one; negative ones count from the last layer.
            final_norm: ``ones``, ``loaded`` or ``off``.
            causal: keep the language model's causal mask.
            rotary: keep its rotary embedding.
            dtype: in which matrices are held (see FrozenBlock).
            train: ``frozen``, ``full`` or ``lora``.
            implementation: ``auto``, ``gated`` or ``hf``.
            lora: options for ``train="lora"``.
            seed: of the draw, for ``random:`` only.

        Raises:
            BlockError: weights that are not at hand or not whole, or an unknown choice.
        """
        norm = choice(FinalNorm, final_norm, "final_norm")
        indices = [layers] if isinstance(layers, int) else list(layers)
        config = PretrainedBlockConfig(
            source=source, layers=indices, final_norm=norm, causal=causal, rotary=rotary, seed=seed,
            dtype=choice(StoredAs, dtype, "dtype"), train=choice(Train, train, "train"),
            implementation=choice(Implementation, implementation, "implementation"), **_fields(lora or LoraOptions()),
        )  # fmt: skip
        return config.build()

    def forward(
        self,
        x: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"] | None = None,
        rows: Int64[Tensor, "b q"] | None = None,
        kept: Kept | None = None,
    ) -> Float[Tensor, "b q d"]:
        """Filtered tokens, of all or of those that ``rows`` names; without ``valid`` every token is real.

        Padded positions, and so rows without any valid token, give zeros. Without ``kept`` our layers ask the mask.
        """
        if valid is None:
            valid = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
            kept = Kept(valid.numel(), 0 if rows is None else rows.numel())
        tokens, asked = (None, None) if kept is None else (kept.tokens, kept.tokens if rows is None else kept.rows)
        with residual_stream(x) as h:
            h = zero_padding(h, valid)
            *early, last = self.layers
            for layer in early:
                h = layer(h, valid, real=tokens)
            h = self.norm(last(h, valid, rows, asked))
            h = zero_padding(h, valid if rows is None else take(valid, rows))
        return h if autocasting(x) else h.to(x.dtype)

    def at(
        self,
        x: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
        kept: Kept | None = None,
    ) -> Float[Tensor, "b q d"]:
        """Exactly those tokens; in the last layer the others give only keys and values (families of ours)."""
        return self(x, valid, rows, kept)

    def train(self, mode: bool = True) -> FrozenBlock:
        """Training mode changes nothing in a frozen block: it is a fixed function."""
        return super().train(mode and self.trained is not Train.frozen)

    def changed(self) -> dict[str, Tensor]:
        """See Block.changed."""
        return changed(self, self._witnesses)

    def _set_training(self, lora: LoraOptions) -> None:
        if self.trained is Train.full:
            for owner in self.modules():
                for name, parameter in list(owner.named_parameters(recurse=False)):
                    own = parameter.detach().clone()  # training must not change the tensors of the source
                    setattr(owner, name, nn.Parameter(own))
        elif self.trained is Train.lora:
            add_lora(self.layers, lora, BlockError)

    def __repr__(self) -> str:
        reference, held = self.reference, next(p for p in self.parameters() if p.dim() > 1).dtype
        origin = f"{reference.source} layers {list(reference.layers)}" if reference else "no source"
        return (
            f"{type(self).__name__}({self.family}, dim {self.dim}, {origin}, {self.policy}, "
            f"final norm {self.final_norm.name}, {str(held).removeprefix('torch.')}, {self.trained.name})"
        )


def _fields(lora: LoraOptions) -> dict[str, Any]:
    """The fields of a PretrainedBlockConfig that say it."""
    values = {f"lora_{key}": value for key, value in vars(lora).items()}
    return {**values, "lora_targets": list(lora.targets)}
