"""Saved models on disk: the names of their files, and how these are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from geo_lm4ve.files import UserError

WEIGHTS, CARD = "model.safetensors", "model.json"
PARTS = ("encoder", "block", "bridge", "head")
"""The groups of configs that a model is built from."""


class CheckpointError(UserError, RuntimeError):
    """A checkpoint that cannot be read or does not fit; the message says what to do."""


def local_folder(folder: Path | str) -> Path:
    """The folder itself, or a local copy of a hub repository (owner/name); CheckpointError if it is neither."""
    if Path(folder).is_dir():
        return Path(folder)
    if Path(folder).is_absolute() or str(folder).count("/") != 1:
        raise CheckpointError(f"{folder} is neither a folder nor a hub repository id (owner/name)")
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(str(folder), allow_patterns=[WEIGHTS, CARD]))


def read_card(path: Path) -> dict[str, Any]:
    """What a saved model says of itself; CheckpointError if the file is missing, damaged or something else."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: not a folder that save_pretrained or a run wrote") from None
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is not valid JSON ({error}); restore it or train again") from error
    if missing := sorted({*PARTS, "outputs", "classes", "block_reference"} - set(card)):
        raise CheckpointError(f"{path} lacks {', '.join(missing)}: not what save_pretrained writes")
    return card


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file; a missing or truncated one is a CheckpointError."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file ({error}); use another checkpoint") from error
