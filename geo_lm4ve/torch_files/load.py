"""``torch.load`` for files of strangers."""

from __future__ import annotations

import mmap
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.torch_files.archive import torch_archive
from geo_lm4ve.torch_files.walk import Walk

_ZIP = b"PK\x03\x04"
_MAGIC = 0x1950A86A20F9469CFC6C
"""With which files older than torch 1.6 begin, as a pickled number."""


def load_torch(path: Path, *, mapped: bool = False, known: Sequence[Any] = ()) -> Any:
    """What ``torch.save`` wrote, on the CPU; the file is looked through before torch reads it.

    Call it inside a guard (``reading.reader``): it raises what torch and damaged bytes provoke.

    Args:
        path: the file.
        mapped: map tensors instead of reading them, where the file is a zip (written since torch 1.6).
        known: classes besides tensors that may be in it, as of ``torch.serialization.safe_globals``; the walk has to
            know them too.

    Raises:
        ForeignObjectError: it asks for something else than tensors and plain values.
        ValueError: it is damaged, or declares more than it holds.
    """
    with path.open("rb") as handle, torch.serialization.safe_globals(list(known)):
        zipped = is_zip(path)
        if zipped:
            _check_zip(path)
        else:
            with closing(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)) as content:
                _check_old(content)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped and zipped)


def is_zip(path: Path) -> bool:
    """Whether a file begins like a zip: torch writes these since version 1.6."""
    with path.open("rb") as handle:
        return handle.read(4) == _ZIP


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        found = torch_archive(archive)
    for storage in found.walk.storages.values():
        found.entry(storage)


def _check_old(content: mmap.mmap) -> None:
    """Five pickles (a magic number, a version, the machine, the values, the storages' keys), then the storages."""
    if Walk(content).value != _MAGIC:
        raise ValueError("it begins neither like a zip nor with torch's magic number")
    _, _, values, keys = (Walk(content) for _ in range(4))
    left = len(content) - content.tell()
    needed = sum(storage.size + 8 for storage in values.storages.values())
    if needed > left or set(keys.value) != set(values.storages):
        raise ValueError(f"its {len(values.storages)} storages take {needed:,} bytes, {left:,} are left for them")
