"""A model by name, as timm's users expect it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from geo_lm4ve.blocks.base import Block, BlockConfig
from geo_lm4ve.bridge import BridgeConfig
from geo_lm4ve.calls import described
from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.fit import check_fit
from geo_lm4ve.model import Model, ModelConfig
from geo_lm4ve.options import is_option, list_models, load_option, part_class
from geo_lm4ve.parts.encoder import EncoderConfig
from geo_lm4ve.parts.head import HeadConfig

_OWN = ("num_classes", "block", "bridge", "head")
_ELSEWHERE = {
    "pretrained": "its weights are fresh ones: geo_lm4ve.load_official(model, FILE) loads a published checkpoint, "
    "geo_lm4ve.load_run(FOLDER) a run of yours",
    "checkpoint_path": "geo_lm4ve.load_official(model, FILE) loads a published checkpoint",
    "seed": "call torch.manual_seed(0) before it for reproducible weights",
}
"""Arguments that people know from elsewhere, and what they do here instead."""


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    block: str | Mapping[str, Any] | BlockConfig | Block = "identity",
    bridge: str = "linear",
    head: str | None = None,
    **overrides: Any,
) -> Model:
    """A model by name, with fresh weights; it takes the natural tensor of its modality.

    >>> import geo_lm4ve, torch
    >>> model = geo_lm4ve.create_model("point_bert_tiny", num_classes=15, block="random_frozen")
    >>> model(torch.randn(2, 1024, 3)).shape
    torch.Size([2, 15])

    A real language model's last layer: ``block="smollm2_135m"``; from a folder of one's own:
    ``block={"name": "llama_7b", "source": "dir:/models/llama-7b"}``.

    Args:
        name: an encoder option (``list_models()``) or the name of a registered encoder.
        num_classes: outputs of the head: classes, or future frames for forecasters; default: what the config class of
            the encoder names (1,000 classes of images), else that of the head (40 classes, 30 frames).
        block: a block option (``list_blocks()``); a mapping with its ``name`` and changed values; a config, or a Block
            as it is. ``identity`` gives the published model without any bridge parameters.
        bridge: a bridge option.
        head: a head option; default: the one named like the encoder (or its registered class), else what the encoder's
            config class names (``classification``).
        overrides: fields of the encoder's config, e.g. ``num_groups=128``.

    Raises:
        ConfigError: unknown name or field, wrong type, or a head that cannot read what the encoder makes.
        BlockError: the block's weights are not at hand.
    """
    encoder = _encoder(name, overrides)
    if head is None:
        head = next((option for option in (name, encoder.name) if is_option("head", option)), encoder.default_head)
    head_config = cast(HeadConfig, load_option("head", head))
    usual = encoder.default_outputs or head_config.default_outputs
    outputs = usual if num_classes is None else num_classes
    if outputs is None:
        raise ConfigError(f"head={head} has no usual number of outputs: pass num_classes")
    if isinstance(outputs, bool) or not isinstance(outputs, int) or outputs < 1:
        raise ConfigError(f"num_classes must be a whole number of at least 1, not {described(outputs)}")
    config, built = _block(block)
    bridge_config = cast(BridgeConfig, load_option("bridge", bridge))
    parts = {"encoder": encoder, "bridge": bridge_config, "head": head_config}
    check_fit(parts, {"encoder": name, "bridge": bridge, "head": head})
    return ModelConfig(encoder, config, bridge_config, head_config, outputs).build(block=built)


def _encoder(name: str, overrides: Mapping[str, Any]) -> EncoderConfig:
    if not isinstance(name, str):
        raise ConfigError(f"create_model takes the name of a model, not {described(name)}: {', '.join(list_models())}")
    known = [*_OWN, *(field.name for field in fields(part_class("encoder", name)) if field.name != "name")]
    for key in overrides:
        if key not in known:
            advice = _ELSEWHERE.get(key) or unknown("argument", key, known)
            raise ConfigError(f"create_model({name!r}, {key}=...): {advice}")
    return cast(EncoderConfig, load_option("encoder", name, overrides))


def _block(given: Any) -> tuple[BlockConfig, Block | None]:
    """The config of a block and, if it was given as such, the block."""
    if isinstance(given, Block):
        return given.config or BlockConfig(type(given).__name__), given
    if isinstance(given, BlockConfig):
        return given, None
    values = dict(given) if isinstance(given, Mapping) else {"name": given}
    name = values.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"block is {described(given)}: pass a name of list_blocks(), a mapping with such a name and changed "
            "values, or a Block (a module of one's own derives from geo_lm4ve.Block)"
        )
    return cast(BlockConfig, load_option("block", name, values)), None
