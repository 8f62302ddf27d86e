"""Any decoder layer of transformers as ours: OPT, GPT-2, Pythia, Phi, …, and a second opinion on the gated families.

So are the layers of vision transformers: ViT, DeiT, DINOv2, BEiT, CLIP, SigLIP. Positions that a model adds to its
embeddings (OPT, GPT-2, ViT) are not added: they belong to the embedding, not to a layer. Nor are BEiT's biases between
places of its own grid of patches, no more than rotary embedding.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from accelerate import init_empty_weights
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from transformers import MODEL_MAPPING
from transformers.pytorch_utils import Conv1D

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.filling import fill
from geo_lm4ve.blocks.gated_architecture import complete, windows
from geo_lm4ve.blocks.policy import AttentionPolicy, places
from geo_lm4ve.blocks.precision import StoredLayerNorm, StoredLinear, stored_linear
from geo_lm4ve.blocks.vit_names import to_modules
from geo_lm4ve.memory import Asking
from geo_lm4ve.tokens import take

GIVEN = {"self", "hidden_states", "attention_mask", "position_ids", "position_embeddings"}
"""Arguments of a decoder layer that we can give it."""
_BUFFERS = 1 << 28
"""Bytes that the constants of a layer may take: rotary frequencies, causal masks of 10,000 tokens squared."""


class StoredConv1D(Conv1D):
    """GPT-2's linear layer (its weight is the transpose of a Linear's) for weights stored in another dtype."""

    def forward(self, x: Float[Tensor, "... i"]) -> Float[Tensor, "... o"]:
        """The product x W + b."""
        return stored_linear(x, self.weight, self.bias, transposed=True)


STORED: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: StoredLinear,
    nn.LayerNorm: StoredLayerNorm,
    Conv1D: StoredConv1D,
}


class HFLayer(nn.Module):
    """One decoder layer of transformers behind our interface; parameters are on ``meta`` until they are filled.

    Args:
        config: in the vocabulary of ``config.json``.
        layer: index in the model.
        policy: what attention may use.

    Raises:
        BlockError: the model's layers cannot be called one by one, or rotary is asked of a model without it.
    """

    def __init__(self, config: Mapping[str, Any], layer: int, policy: AttentionPolicy):
        super().__init__()
        full = _without_places(_without_dropout(complete(config)))
        model = _model_class(full)
        softcap = getattr(full, "attn_logit_softcapping", None)
        self.sdpa = bool(model._supports_sdpa) and softcap is None  # transformers' sdpa refuses a softcap
        full._attn_implementation = "sdpa" if self.sdpa else "eager"
        decoder = _layer_class(model)
        with init_empty_weights(include_buffers=False):
            numbered = [name for name in inspect.signature(decoder).parameters if "drop" not in name]
            self.layer = decoder(*(full, layer)[: len(numbered)]).eval()
        for module in self.layer.modules():
            if type(module) in STORED:
                module.__class__ = STORED[type(module)]  # same attributes, another forward
        self.policy, self.window = policy, windows(full)[layer]
        self.takes = set(inspect.signature(decoder.forward).parameters)
        self.kind = (getattr(full, "layer_types", None) or {layer: None})[layer]
        self.rotary = _rotary(model, full) if "position_embeddings" in self.takes or policy.rotary else None

    def forward(
        self,
        h: Float[Tensor, "b n d"],
        valid: Bool[Tensor, "b n"],
        rows: Int64[Tensor, "b q"] | None = None,
        real: int | None = None,
    ) -> Float[Tensor, "b q d"]:
        """The residual stream after this layer, of the tokens that ``rows`` names or of all; they cost the same here.

        Rows without any valid token are not zeroed here. Padding costs as much as tokens do, so their number ``real``
        is of no use.
        """
        given = {"attention_mask": self._mask(valid, h.dtype), **self._positions(h, valid)}
        y = self.layer(h, **{name: value for name, value in given.items() if name in self.takes})
        y = y[0] if isinstance(y, tuple) else y
        return y if rows is None else take(y, rows)

    def _mask(self, valid: Tensor, dtype: torch.dtype) -> Tensor:
        """Boolean for sdpa; additive for eager, where a boolean mask would be added as 0 and 1.

        A mask is always given: without one, transformers' sdpa path is causal.
        """
        visible = self.policy.visible(valid, self.window)
        if not self.sdpa:
            additive = torch.zeros(visible.shape, dtype=dtype, device=valid.device)
            visible = additive.masked_fill(~visible, torch.finfo(dtype).min)
        return visible.expand(-1, -1, valid.shape[1], -1)

    def _positions(self, h: Tensor, valid: Tensor) -> dict[str, Any]:
        """Position arguments: token indices, or the identity (index 0, cos 1, sin 0) without rotary."""
        position = places(valid) if self.policy.rotary else torch.zeros_like(valid, dtype=torch.long)
        if self.rotary is None:
            return {"position_ids": position}
        takes_kind = "layer_type" in inspect.signature(self.rotary.forward).parameters
        cos, sin = self.rotary(h, position, self.kind) if takes_kind else self.rotary(h, position)
        pair = (cos, sin) if self.policy.rotary else (torch.ones_like(cos), torch.zeros_like(sin))
        return {"position_ids": position, "position_embeddings": pair}


def make_layer(
    config: Mapping[str, Any],
    layer: int,
    policy: AttentionPolicy,
    tensors: Mapping[str, Tensor],
    dtype: torch.dtype | None,
    place: str,
) -> HFLayer:
    """A filled layer; BlockError when ``tensors`` are not its weights."""
    with Asking(config, sum(tensor.numel() * tensor.dtype.itemsize for tensor in tensors.values()) * 8 + _BUFFERS):
        module = HFLayer(config, layer, policy)
    tensors = to_modules(tensors, dict(module.layer.named_parameters()))
    fill(module.layer, tensors, dtype, f"{place}, {config.get('model_type')} layer {layer}")
    if not policy.causal and not policy.rotary:
        _check_unordered(module, complete(config).hidden_size)
    return module


@torch.no_grad()
def _check_unordered(layer: HFLayer, dim: int) -> None:
    """Refuse a layer that orders its tokens by itself (a causal mask or positions inside its attention)."""
    x = torch.randn(1, 4, dim, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(1, 4, dtype=torch.bool)
    forward, backward = layer(x, valid), layer(x.flip(1), valid).flip(1)
    if not forward.isfinite().all():
        raise ValueError(f"{type(layer.layer).__name__} makes values that are not finite")
    if (forward - backward).norm() > 1e-3 * forward.norm():
        raise BlockError(f"{type(layer.layer).__name__} depends on the order of tokens by itself; set causal: true")


def _without_dropout(full: Any) -> Any:
    """A frozen layer is a fixed function: its dropouts are off."""
    for key in full.to_dict():
        if "dropout" in key or "drop_path" in key or key.endswith("pdrop"):
            setattr(full, key, 0.0)
    return full


def _without_places(full: Any) -> Any:
    """BEiT's layers without their biases between places, which are of one grid of patches."""
    if hasattr(full, "use_relative_position_bias"):
        full.use_relative_position_bias = False
    return full


def _model_class(full: Any) -> Any:
    """The base model class of a config; it is never built."""
    if type(full) not in MODEL_MAPPING:
        raise BlockError(f"transformers has no base model for {full.model_type!r}")
    model = MODEL_MAPPING[type(full)]
    return model[0] if isinstance(model, tuple) else model


def _defined(model: Any, *names: str) -> Iterator[type[nn.Module]]:
    """Classes of the model's own module whose names end with one of ``names``."""
    for name, value in vars(sys.modules[model.__module__]).items():
        if (
            inspect.isclass(value)
            and issubclass(value, nn.Module)
            and value.__module__ == model.__module__
            and name.endswith(names)
        ):
            yield value


def _layer_class(model: Any) -> type[nn.Module]:
    """The decoder layer that transformers itself keeps on one device, if we can call it."""
    for cls in _defined(model, *(model._no_split_modules or ["-"])):
        parameters = inspect.signature(cls.forward).parameters.values()
        needed = {p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD}
        if "hidden_states" not in needed or "attention_mask" not in inspect.signature(cls.forward).parameters:
            continue
        if needed - GIVEN:
            raise BlockError(f"{cls.__name__} needs {sorted(needed - GIVEN)}, which only its model can give it")
        return cls
    raise BlockError(f"no decoder layer found in {model.__module__}")


def _rotary(model: Any, full: Any) -> nn.Module:
    """The model's rotary embedding."""
    for cls in _defined(model, "RotaryEmbedding"):
        return cls(full)
    raise BlockError(f"{full.model_type} has no rotary embedding of its own; set rotary: false")
