"""Networks of images in a folder of transformers: config, weights, and what their pixels are to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from mutate_packed import SAFETENSORS
from mutate_text import JSON
from seed import Seed
from vision_models import HALVES, write_vision

from geo_lm4ve.images.encoders.generic import GenericConfig

_VISION = "geo_lm4ve.images.encoders.vision_network."
_NETWORK, _FACTS = (f"{_VISION}read_vision",), (f"{_VISION}read_facts",)


def _model(name: str) -> Callable[[Path], Path]:
    return lambda folder: write_vision(folder, **HALVES, crop_size=32) / name


def _encoded(path: Path) -> object:
    return GenericConfig(source=str(path.parent)).build()(torch.zeros(1, 3, 32, 32)).features


def _drawn(path: Path) -> object:
    return GenericConfig(source=str(path.parent)).sample_batch(1).pixels.shape


SEEDS = (
    Seed("vision_config", _NETWORK, _model("config.json"), _encoded, JSON, slow=True),
    Seed("vision_weights", _NETWORK, _model("model.safetensors"), _encoded, SAFETENSORS, slow=True),
    Seed("vision_pixels", _NETWORK, _model("preprocessor_config.json"), _encoded, JSON, slow=True),
    Seed("vision_facts", _FACTS, _model("preprocessor_config.json"), _drawn, JSON, slow=True),
)
