"""Models as ``save_pretrained`` writes them, and as the projects they come from publish them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mutate import BYTES
from mutate_packed import SAFETENSORS, ZIP
from mutate_text import JSON
from seed import Seed

from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.pretrained import check_official, load_official, read_checkpoint, to_official

SMALL = {"dim": 12, "depth": 1, "heads": 2, "encoder_dim": 8, "num_groups": 4, "group_size": 4}
_PRETRAINED = "geo_lm4ve.pretrained."


@functools.cache
def model(block: str = "mlp") -> Model:
    """A small one. A file is loaded whole or not at all, so that one will do for all cases."""
    torch.manual_seed(0)
    return create_model("point_bert", num_classes=3, block=block, **SMALL)


def saved(name: str) -> Callable[[Path], Path]:
    """What ``save_pretrained`` writes; one of the files."""

    def write(folder: Path) -> Path:
        model().save_pretrained(folder)
        return folder / name

    return write


def official(folder: Path, **options: bool) -> Path:
    """As the official trainer saves it."""
    path = folder / "ckpt-best.pth"
    state = {f"module.{key}": value for key, value in to_official(model("identity")).items()}
    content = {"base_model": state, "epoch": 3, "best_metrics": {"acc": np.float64(83.1)}}
    torch.save(content, path, **options)
    return path


def old_official(folder: Path) -> Path:
    """The same before torch 1.6."""
    return official(folder, _use_new_zipfile_serialization=False)


def into_model(path: Path) -> object:
    """Load it."""
    check_official(model("identity"), read_checkpoint(path), allow=(), place=path)
    return load_official(model("identity"), path)


OFFICIAL = (f"{_PRETRAINED}reading._load", f"{_PRETRAINED}load._loaded", f"{_PRETRAINED}load.check_official")
WHOLE = "geo_lm4ve.model.Model.from_pretrained"
SEEDS = (
    Seed(
        "model_card",
        ("geo_lm4ve.saved.read_card", WHOLE),
        saved("model.json"),
        lambda path: Model.from_pretrained(path.parent),
        JSON,
    ),
    Seed(
        "model_weights",
        ("geo_lm4ve.saved.read_weights", WHOLE),
        saved("model.safetensors"),
        lambda path: Model.from_pretrained(path.parent),
        SAFETENSORS,
    ),
    Seed("official_pth", OFFICIAL, official, into_model, ZIP),
    Seed("official_old_pth", OFFICIAL, old_official, into_model, BYTES),
)
