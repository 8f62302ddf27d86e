"""What a place that holds files answers, whatever it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """Files by name; several threads read them at a time. Hidden files (``.x``, ``__MACOSX``) are not there.

    Attributes:
        place: the folder or archive.
    """

    place: Path

    def names(self) -> Sequence[str]:
        """Every file below it, sorted, with ``/`` between folders."""

    def folders(self) -> Sequence[str]:
        """Every folder below it, sorted; those without a file too."""

    def read(self, name: str) -> bytes:
        """The content of one of its files; DataError where it is damaged or gone."""

    def where(self, name: str) -> str:
        """What messages call a file."""

    def stamp(self, names: Iterable[str]) -> Iterable[str]:
        """Of each of these files a text that changes when the file does: size and time of change."""


def hidden(name: str) -> bool:
    """Whether a file or folder is none of the data's own: what systems leave behind, and what begins with a dot."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def parents(names: Iterable[str]) -> set[str]:
    """Every folder that these files lie in."""
    found = {name.rpartition("/")[0] for name in names}
    for folder in list(found):
        while folder and (folder := folder.rpartition("/")[0]):
            found.add(folder)
    return found - {""}
