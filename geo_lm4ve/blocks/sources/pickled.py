"""Local files written by ``torch.save`` (``.bin``, ``.pth``), mapped instead of read and never allowed to run code."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import torch
from torch import Tensor

from geo_lm4ve.blocks.base import BlockError

_ZIP = b"PK\x03\x04"


def open_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. They are memory-mapped: a tensor's bytes are read when it is first used.

    Files older than torch 1.6 cannot be mapped; they are read whole, and that is said aloud.

    Raises:
        BlockError: the file is cut short, holds anything but tensors, or asks to run code.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=_can_be_mapped(path))
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BlockError(
            f"{path} cannot be read ({path.stat().st_size} bytes; {reason}); cut short? fetch it again"
        ) from error
    if not isinstance(content, dict):
        raise BlockError(f"{path} holds a {type(content).__name__}, not a dict of tensors; is it a checkpoint?")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _can_be_mapped(path: Path) -> bool:
    with path.open("rb") as handle:
        mapped = handle.read(4) == _ZIP
    if not mapped:
        logging.getLogger(__name__).warning(
            "%s was not written in torch's zip format; all %d bytes of it have to be read", path, path.stat().st_size
        )
    return mapped
