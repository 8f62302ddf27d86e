"""The original files of one split, whatever their layout."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.traffic.cache.packing import REACH, Scene
from geo_lm4ve.traffic.cache.shards import FORMAT
from geo_lm4ve.traffic.records.recording import Recording

SIZES_BELOW = 5000
"""Up to so many files their sizes are part of the key; above, looking at each takes too long and names must do."""


class SceneFiles(ABC):
    """The scenes of one folder, as files; small and picklable, for worker processes.

    Attributes:
        folder: the split's folder.
        items: one path per scene, sorted.
    """

    title: ClassVar[str]
    """Name of the layout in keys and messages."""

    folder: Path
    items: Sequence[Path]

    @abstractmethod
    def recording(self, item: Path) -> Recording:
        """The tracks of one scene; DataError if they cannot be read."""

    @abstractmethod
    def scene(self, item: Path) -> Scene:
        """One scene with its map; DataError if it cannot be read."""

    @abstractmethod
    def label(self, item: Path) -> str:
        """How a scene is named in reports."""

    def shared(self) -> Sequence[Path]:
        """Further files that scenes depend on (maps of whole cities)."""
        return ()

    def notes(self) -> list[str]:
        """What is missing that one would expect, each as a sentence."""
        return []

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.items)

    def key(self) -> str:
        """Digest of what a cache of these files depends on: formats, names and (of small splits) sizes."""
        digest = hashlib.sha256(f"{FORMAT} {REACH} {self.title}".encode())
        for item in self.items:
            digest.update(f"{self.label(item)} {_size(item) if len(self) <= SIZES_BELOW else ''}\n".encode())
        for path in self.shared():
            digest.update(f"{path.name} {_size(path)}\n".encode())
        return digest.hexdigest()


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [part for part in path.iterdir() if part.is_file()]
    return sum(file.stat().st_size for file in files)
