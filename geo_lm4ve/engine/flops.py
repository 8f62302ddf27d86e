"""FLOPs of a forward pass, by the part of the model that spends them, frozen and trainable modules apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from geo_lm4ve.costs import KINDS, PARTS
from geo_lm4ve.model import Model

Shape = Sequence[int]


def _attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    """Of all pairs, masked or not: (..., Q, d) with (..., K, d), then with (..., K, e)."""
    return 2 * prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _self_attention(x: Shape, *_: Any, **__: Any) -> int:
    """Of (B, N, d): the four linear layers, then all pairs."""
    return 2 * prod(x) * (4 * x[-1] + 2 * x[-2])


def _recurrent(x: Shape, *weights: Any, **__: Any) -> int:
    """Every matrix of (O, I) for every position of (..., I); of biases there are only vectors."""
    return 2 * prod(x[:-1]) * sum(prod(shape) for shape in weights if len(shape) == 2)


def _one_layer(x: Shape, *rest: Any, **__: Any) -> int:
    return _recurrent(x, *rest[:4])


def _layers(x: Shape, weights: Sequence[Shape], *_: Any, **__: Any) -> int:
    return _recurrent(x, *weights)


def _matrix_vector(matrix: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(matrix)


def _added_matrix_vector(_added: Shape, matrix: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(matrix)


aten = torch.ops.aten
FORMULAS = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_fused_attention_overrideable: _attention,
    aten._native_multi_head_attention: _self_attention,
    aten.mkldnn_rnn_layer: _one_layer,
    aten._cudnn_rnn: _layers,
    aten.mv: _matrix_vector,
    aten.dot: _matrix_vector,
    aten.addmv: _added_matrix_vector,
}
"""Products that PyTorch's counter has no formula for: operation -> FLOPs of the shapes of its arguments."""


class Spender:
    """Tells the counter at every product which part of the model computes it, and whether a frozen module does.

    It takes the place of the counter's own tracker. That one makes ready for a backward pass, which fails in evaluation
    (at views of parameters made without gradients), and knows modules by name; parts and kinds are known by call: a
    module that two parts share counts where it runs.

    Args:
        model: whose modules carry hooks while this context is open.
    """

    def __init__(self, model: Model):
        bridge = model.bridge
        self.parts: dict[nn.Module, str] = dict.fromkeys(bridge.children(), "adapters")
        self.parts |= {model: "encoder", bridge: "block", bridge.block: "block", model.head: "head"}
        self.kinds = {module: kind for module in model.modules() if (kind := kind_of(module))}
        # What the model itself computes is a stage's, what the bridge itself computes is the block's.
        for whole, part in ((model, model.encoder), (bridge, bridge.block)):
            self.kinds |= {whole: self.kinds.get(part, KINDS[0])}
        self.model, self.calls, self.hooks = model, [("encoder", KINDS[0])], list[RemovableHandle]()

    @property
    def parents(self) -> set[str]:
        """Where the counter books what it meets."""
        return {"Global", ".".join(self.calls[-1])}

    def __enter__(self) -> Spender:
        for module in self.model.modules():
            self.hooks.append(module.register_forward_pre_hook(self._begin))
            self.hooks.append(module.register_forward_hook(self._end, always_call=True))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _begin(self, module: nn.Module, _arguments: Any) -> None:
        """A module without parameters is part of what calls it."""
        part, kind = self.calls[-1]
        self.calls.append((self.parts.get(module, part), self.kinds.get(module, kind)))

    def _end(self, _module: nn.Module, _arguments: Any, _output: Any) -> None:
        self.calls.pop()


def kind_of(module: nn.Module) -> str | None:
    """Which of ``KINDS`` it is, with all that is below it; None without any parameter."""
    trained = [parameter.requires_grad for parameter in module.parameters()]
    return KINDS[not any(trained)] if trained else None


@torch.no_grad()
def count_flops(model: Model, batch: Any) -> dict[str, dict[str, int]]:
    """FLOPs of ``model(batch)``, all samples together.

    Products of matrices, convolutions, attention and recurrent layers count 2 per multiply-add, with padding and what a
    mask hides; everything else counts nothing: norms, activations, searches for neighbours (they are memory and
    comparisons) and kernels that PyTorch does not know.

    Args:
        model: runs once, in the mode that it is in.
        batch: what it takes.

    Returns:
        Part (``PARTS``) -> kind (``KINDS``) -> FLOPs; the sum is that of the whole pass.
    """
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    counter.mod_tracker = Spender(model)  # type: ignore[assignment]
    with counter:
        model(batch)
    booked = counter.get_flop_counts()
    return {part: {kind: sum(booked.get(f"{part}.{kind}", {}).values()) for kind in KINDS} for part in PARTS}
