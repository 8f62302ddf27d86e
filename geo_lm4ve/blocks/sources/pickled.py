"""Local files written by ``torch.save`` (``.bin``, ``.pth``), mapped instead of read and never allowed to run code."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import Tensor

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.reading import reader
from geo_lm4ve.torch_files import is_zip, load_torch


@reader(BlockError, "a dict of tensors that torch.save wrote", "fetch it again")
def open_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. They are memory-mapped: a tensor's bytes are read when it is first used.

    Files older than torch 1.6 cannot be mapped; they are read whole, and that is said aloud.

    Raises:
        BlockError: the file is cut short, holds anything but tensors, or asks to run code.
    """
    if not is_zip(path):
        logging.getLogger(__name__).warning(
            "%s was not written in torch's zip format; all %d bytes of it have to be read", path, path.stat().st_size
        )
    content = load_torch(path, mapped=True)
    if not isinstance(content, dict):
        raise BlockError(f"{path} holds a {type(content).__name__}, not a dict of tensors; is it a checkpoint?")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
