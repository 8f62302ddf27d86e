"""Which tensors of a checkpoint make up its decoder layers and its final norm, found by the pattern of their names.

Every family numbers its layers (``model.layers.31.…``, ``model.decoder.layers.31.…``, ``transformer.h.31.…``,
``gpt_neox.layers.31.…``, ``language_model.model.layers.31.…``) and keeps the final norm beside that list
(``model.norm``, ``model.decoder.final_layer_norm``, ``transformer.ln_f``, ``model.final_layernorm``). Of vision
transformers the layers are the encoder's (``vit.encoder.layer.11.…``, ``vision_model.encoder.layers.11.…``), and the
norm stands beside the encoder (``vit.layernorm``, ``vision_model.post_layernorm``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError

_NUMBERED = re.compile(r"^(?P<stack>(?:.*?\.)??(?:layers|h|blocks|block))\.(?P<index>\d+)\.(?P<key>.+)$")
_NUMBERED_ENCODER = re.compile(r"^(?P<stack>(?:.*?\.)??(?:layers?|blocks?))\.(?P<index>\d+)\.(?P<key>.+)$")
_VISION = re.compile(r"(^|[._])(vision|visual|image)([._]|$)")
_ENCODER_NORMS = ("layernorm", "post_layernorm", "norm")
_OF_IMAGES = "_vision_model"
_PAIRED = ("clip", "siglip")
"""Models with a tower of images and one of texts, which is no language model: their layers are those of images."""
_OTHER_STACK = re.compile(r"(^|[._])(vision|visual|audio|speech|image|encoder|mm|mtp)([._]|$)")
_FINAL_NORMS = ("norm", "final_layer_norm", "final_layernorm", "final_norm", "ln_f", "norm_f")
_BUFFERS = re.compile(
    r"(^|\.)(rotary_emb\.inv_freq|(attn|attention)\.(bias|masked_bias)|"
    r"relative_position_bias\.relative_position_(bias_table|index))$"
)
"""What is left out: constants that old checkpoints carry along (rotary frequencies, causal masks), which are no
weights, and BEiT's biases between places of one grid of patches, which no other tokens have."""


@dataclass(frozen=True)
class Layout:
    """The names that were asked for.

    Attributes:
        layers: per layer its index and a map from the key relative to the layer to the tensor's full name.
        final_norm: from ``weight`` / ``bias`` to the full name; {} where the model has no final norm.
    """

    layers: dict[int, dict[str, str]]
    final_norm: dict[str, str]

    @property
    def names(self) -> list[str]:
        """Every full name, layers first."""
        return [name for keys in self.layers.values() for name in keys.values()] + list(self.final_norm.values())

    def by_layer(self, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], ...]:
        """Tensors by full name -> per layer, by the key relative to it."""
        return tuple({key: tensors[name] for key, name in keys.items()} for keys in self.layers.values())


def layers_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a config that is of the layers: multimodal models nest the language model under ``text_config``.

    CLIP and SigLIP have no language model; the part of their layers is ``vision_config``.
    """
    seen = config.get("vision_config")
    if config.get("model_type") in _PAIRED and isinstance(seen, dict):
        return {"model_type": f"{config['model_type']}{_OF_IMAGES}", **seen}
    nested = config.get("text_config")
    return nested if isinstance(nested, dict) and "hidden_size" in nested else config


def of_images(config: Mapping[str, Any]) -> bool:
    """Whether a config is of a vision transformer."""
    return "patch_size" in config or str(config.get("model_type")).endswith(_OF_IMAGES)


def depth(config: dict[str, Any], place: str) -> int:
    """Number of decoder layers by the config; BlockError when it does not say."""
    for key in ("num_hidden_layers", "n_layer", "n_layers", "num_layers"):
        if isinstance(count := config.get(key), int):
            return count
    raise BlockError(f"{place}: config gives no num_hidden_layers, so layers cannot be counted; complete config.json")


def width_and_heads(config: dict[str, Any]) -> tuple[Any, Any]:
    """Width D and number of query heads by the config, in either vocabulary; None where it does not say."""
    return config.get("hidden_size", config.get("n_embd")), config.get("num_attention_heads", config.get("n_head"))


def indices(layers: Sequence[int], count: int, place: str) -> tuple[int, ...]:
    """Layer indices counted from 0; negative ones count from the end.

    Raises:
        BlockError: none asked for, one out of range, or not consecutive.
    """
    if not layers:
        raise BlockError(f"{place}: no layer asked for; give at least one index, -1 is the last")
    for index in layers:
        if not -count <= index < count:
            raise BlockError(f"{place} has {count} layers: layer {index} is out of range {-count}..{count - 1}")
    found = tuple(index % count for index in layers)
    if found != tuple(range(found[0], found[0] + len(found))):
        raise BlockError(f"{place}: layers must be consecutive and ascending, got {list(layers)}")
    return found


def _stacks(names: Collection[str], numbered: re.Pattern[str]) -> dict[str, dict[int, dict[str, str]]]:
    """By name of the list of layers: by index, key relative to the layer and full name."""
    stacks: dict[str, dict[int, dict[str, str]]] = {}
    for name in names:
        if match := numbered.match(name):
            layer = stacks.setdefault(match["stack"], {}).setdefault(int(match["index"]), {})
            if _BUFFERS.search(match["key"]):
                continue
            if match["key"] in layer:
                raise ValueError(f"{name} and {layer[match['key']]} are the same tensor of the same layer")
            layer[match["key"]] = name
    return stacks


def _language_stack(stacks: dict[str, dict[int, dict[str, str]]], place: str) -> str:
    """The one list of layers that belongs to the language decoder."""
    language = [stack for stack in stacks if not _OTHER_STACK.search(stack)]
    if len(language) == 1:
        return language[0]
    if not language:
        raise BlockError(f"{place}: no tensor is named like a decoder layer (…layers.N.… or …h.N.…); is it an LLM?")
    raise BlockError(f"{place}: several lists of layers could be the decoder: {', '.join(sorted(language))}")


def _vision_stack(stacks: dict[str, dict[int, dict[str, str]]], place: str) -> str:
    """The one list of layers that belongs to the encoder of images."""
    seen = list(stacks) if len(stacks) == 1 else [stack for stack in stacks if _VISION.search(stack)]
    if len(seen) == 1:
        return seen[0]
    found = ", ".join(sorted(stacks)) or "none"
    raise BlockError(f"{place}: which list of layers is that of the vision transformer? There are {found}")


def find_layout(names: Collection[str], layers: Sequence[int], place: str, *, images: bool = False) -> Layout:
    """Names of the tensors of these layers (indices from 0) and of the final norm; ``images``: a vision transformer's.

    Raises:
        BlockError: no decoder found, or a layer is not in the checkpoint; the message lists those that are.
    """
    stacks = _stacks(names, _NUMBERED_ENCODER if images else _NUMBERED)
    stack = _vision_stack(stacks, place) if images else _language_stack(stacks, place)
    for index in layers:
        if index not in stacks[stack]:
            raise BlockError(f"{place}: layer {index} is not in it; it holds layers {sorted(stacks[stack])}")
    parent = stack.rpartition(".")[0]
    norms = (parent.rpartition(".")[0], _ENCODER_NORMS) if images else (parent, _FINAL_NORMS)
    beside = [f"{norms[0]}.{norm}" if norms[0] else norm for norm in norms[1]]
    present = set(names)
    norm = {key: f"{b}.{key}" for b in beside for key in ("weight", "bias") if f"{b}.{key}" in present}
    return Layout({index: stacks[stack][index] for index in layers}, norm)
