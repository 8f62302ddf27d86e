"""Whether the frozen block inside an official checkpoint is the one that the model has."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.blocks.fingerprint import fingerprint
from geo_lm4ve.blocks.sources.meta_names import FINAL_NORM, layer_tensor

_HEAD_DIM = 128
"""Width of LLaMA's attention heads, in every size that the official code runs."""


def other_block(state: Mapping[str, Tensor], block: Block) -> str:
    """How a LLaMA block in Meta's names (``layers.0.…``, ``norm.weight``) differs from ``block``; "" if it does not.

    The layers are compared by fingerprint, the norm after them by its values.
    """
    if block.reference is None:
        return f"the model's block ({type(block).__name__}) is no layer of a language model"
    try:
        found = fingerprint(_layers(state))
    except ValueError as error:
        return f"the file's are no layers of LLaMA's ({error})"
    if found != block.reference.sha256:
        return f"sha256 {found[:12]}… is not that of {block.reference.source} ({block.reference.sha256[:12]}…)"
    if FINAL_NORM not in state:
        return "the file lacks the norm after it"
    norm = dict(block.named_parameters()).get("norm.weight")
    if norm is None or not torch.equal(norm.float().cpu(), state[FINAL_NORM].float()):
        return "the gains of the norm after it differ (the official code keeps them at one: block.final_norm=ones)"
    return ""


def _layers(state: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The layers in transformers' names and row order."""
    layers: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        if found := layer_tensor(name):
            index, tensor = found
            layers.setdefault(index, {})[tensor.ours] = tensor.reordered(value, _HEAD_DIM)
    return [layers[index] for index in sorted(layers)]
