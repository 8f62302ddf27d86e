"""Saved models on disk: the names of their files, and how these are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from geo_lm4ve.files import UserError
from geo_lm4ve.reading import Fields, json_object, reader

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


@reader(CheckpointError, "the card of a saved model", "restore it or train again")
def read_card(path: Path) -> dict[str, Any]:
    """What a saved model says of itself; CheckpointError if the file is missing, damaged or something else."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: not a folder that save_pretrained or a run wrote")
    card = json_object(path.read_bytes())
    if missing := sorted({*PARTS, "outputs", "classes", "block_reference"} - set(card)):
        raise CheckpointError(f"{path} lacks {', '.join(missing)}: not what save_pretrained writes")
    fields = Fields(card)
    for part in PARTS:
        fields.fields(part).text("name")
    fields.whole("outputs", 1)
    fields.texts("classes")
    if card["block_reference"] is not None:
        reference = fields.fields("block_reference")
        reference.text("source"), reference.wholes("layers"), reference.text("sha256")
    return card


@reader(CheckpointError, "a safetensors file", "use another checkpoint")
def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file; a missing or truncated one is a CheckpointError."""
    return load_file(path)


def check_kinds(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse tensors that would lose their meaning when they are copied into a model's.

    Raises:
        ValueError: one holds whole numbers where the model has fractions, or the other way round.
    """
    for name in given.keys() & wanted.keys():
        if given[name].is_floating_point() != wanted[name].is_floating_point() or given[name].is_complex():
            raise ValueError(f"{name} is stored as {given[name].dtype}, the model has {wanted[name].dtype}")
