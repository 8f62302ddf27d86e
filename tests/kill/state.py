"""What a folder holds in the end, without what tells one run from another: times, speeds, names made of the date."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

_STAMP = re.compile(r"\d{8}-\d{6}-\d+(\.\d+)?")
_TIMES = {"samples_per_second", "wall_seconds", "started", "seconds", "commit"}
"""Entries that say when, how fast and by which code."""


def state(folder: Path) -> dict[str, str]:
    """Name -> digest of every file of a folder; folders of runs and evaluations that never ended are left out."""
    abandoned = begun(folder)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not set(path.parents) & set(abandoned)]
    return {_STAMP.sub("RUN", path.relative_to(folder).as_posix()): _digest(path) for path in files}


def begun(folder: Path) -> list[Path]:
    """Folders of runs and evaluations without results: the command that was killed in them was not taken up again."""
    named = [path for path in folder.rglob("*") if path.is_dir() and _STAMP.fullmatch(path.name)]
    return [path for path in named if not (path / "results.json").is_file()]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _content(path):
        digest.update(piece)
    return digest.hexdigest()


def _content(path: Path) -> Iterator[bytes]:
    if path.suffix == ".pt":
        yield from _tensors(torch.load(path, map_location="cpu", weights_only=True))
    elif path.suffix == ".safetensors":  # which notes its header in no fixed order
        content = path.read_bytes()
        start = 8 + struct.unpack("<Q", content[:8])[0]
        yield json.dumps(json.loads(content[8:start]), sort_keys=True).encode()
        yield content[start:]
    elif path.suffix in (".json", ".jsonl"):
        text = path.read_text()
        for value in map(json.loads, text.splitlines() if path.suffix == ".jsonl" else [text]):
            yield _STAMP.sub("RUN", json.dumps(_timeless(value))).encode()
    elif path.suffix in (".yaml", ".txt"):
        yield _STAMP.sub("RUN", path.read_text()).encode()
    else:
        yield path.read_bytes()


def _tensors(value: Any) -> Iterator[bytes]:
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.contiguous().view(-1).view(torch.uint8).numpy().tobytes() if value.numel() else b""
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in _TIMES:
                yield repr(key).encode()
                yield from _tensors(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
    else:
        yield repr(value).encode()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if key not in _TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
