"""Small models of images with random weights as transformers' folders, and networks of somebody's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
IMAGE = {"image_size": 32, "patch_size": 8}
HALVES = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.2]}


def models() -> dict[str, Callable[[], nn.Module]]:
    """Name -> model of transformers."""
    import transformers as hf

    dino = {**{key: value for key, value in SIZES.items() if key != "intermediate_size"}, **IMAGE, "mlp_ratio": 2}
    swin = {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}
    return {
        "vit": lambda: hf.ViTForImageClassification(hf.ViTConfig(**SIZES, **IMAGE)),
        "deit": lambda: hf.DeiTModel(hf.DeiTConfig(**SIZES, **IMAGE)),
        "dinov2": lambda: hf.Dinov2Model(hf.Dinov2Config(**dino)),
        "dinov2_registers": lambda: hf.Dinov2WithRegistersModel(
            hf.Dinov2WithRegistersConfig(**dino, num_register_tokens=3)
        ),
        "clip": lambda: hf.CLIPVisionModel(hf.CLIPVisionConfig(**SIZES, **IMAGE)),
        "clip_both": lambda: hf.CLIPModel(
            hf.CLIPConfig(text_config={**SIZES, "vocab_size": 20}, vision_config={**SIZES, **IMAGE}, projection_dim=8)
        ),
        "siglip": lambda: hf.SiglipVisionModel(hf.SiglipVisionConfig(**SIZES, **IMAGE)),
        "beit": lambda: hf.BeitModel(hf.BeitConfig(**SIZES, **IMAGE, vocab_size=10, use_relative_position_bias=True)),
        "swin": lambda: hf.SwinModel(hf.SwinConfig(**swin)),
        "convnext": lambda: hf.ConvNextModel(
            hf.ConvNextConfig(image_size=32, num_stages=2, hidden_sizes=[8, 16], depths=[1, 1])
        ),
    }


def network(kind: str) -> nn.Module:
    """One of them in eval mode, whose weights do not depend on what was drawn before; none of them is zero or one."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = models()[kind]().eval()
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return made


def inner(kind: str) -> nn.Module:
    """The part of ``network(kind)`` that makes tokens."""
    model, part = network(kind), {"vit": "vit", "clip_both": "vision_model"}.get(kind)
    return getattr(model, part) if part else model


def write_vision(folder: Path, kind: str = "vit", **preprocessing: object) -> Path:
    """A folder with such a model and the values of an image processor, if there are any."""
    network(kind).save_pretrained(folder)
    if preprocessing:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


class OwnNetwork(nn.Module):
    """Pixels (B, 3, H, W) -> a class token and a token for every 8 x 8 pixels, width 12."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, 8)
        self.first = nn.Parameter(torch.zeros(1, 1, 12))
        self.mix = nn.Linear(12, 12)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        patches = self.patches(pixels).flatten(2).mT
        return self.mix(torch.cat([self.first.expand(len(pixels), -1, -1), patches], 1))


def own_map() -> nn.Module:
    """A network that makes a map."""
    return nn.Sequential(nn.Conv2d(3, 6, 4, 4), nn.ReLU(), nn.Dropout(0.5))


def says_nothing():
    raise AssertionError("it must not be called")
