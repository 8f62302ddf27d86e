"""What a preparer is, and the table of those there are."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.places import DATASETS as CARRIED
from geo_lm4ve.shipped import load, load_all, load_shipped

if TYPE_CHECKING:
    from rich.console import RenderableType

DATASETS = Path("datasets")
"""Folder with one folder per data set, relative to the working directory."""


class Preparer(ABC):
    """Brings one data set into the form that its data source reads.

    Its module imports what is heavy where it is used: the help text of the command imports all preparers.

    Attributes:
        name: on the command line, and of the folder ``datasets/<name>``.
        summary: one line for the help text: what it is, how large, where from.
        large: whether ``prepare`` takes so long that ``workers`` count, and downloads only when asked by ``download``.
        workers: processes.
        download: fetch the original files first.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    large: ClassVar[bool] = False
    workers: int = 0
    download: bool = False

    @property
    def root(self) -> Path:
        """Where the prepared data go unless the user says otherwise."""
        return DATASETS / self.name / "processed"

    @property
    def manifest_file(self) -> Path:
        """Where its files come from: the manifest in ``datasets/<name>``, else the one that comes with the package."""
        own = DATASETS / self.name / "manifest.toml"
        return own if own.is_file() else CARRIED / self.name / own.name

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add to the command's options what only this data set knows."""
        return None

    def take(self, given: argparse.Namespace) -> None:
        """Keep what the command line says (``given.source`` may be named otherwise); UserError where it cannot be."""
        self.workers, self.download = given.workers, given.download

    def place(self, source: Path | None) -> Path:
        """Where the prepared data go unless the user says otherwise, by what they are made of."""
        return self.root

    def advice(self, root: Path) -> str:
        """What to type next, in one line; "" where nothing is to be said."""
        return ""

    @abstractmethod
    def prepare(self, root: Path, source: Path | None) -> None:
        """Put the data into ``root``.

        Args:
            root: folder of the prepared data; an interrupted run leaves nothing half-written in it.
            source: a file or folder that the user already has, instead of a download.

        Raises:
            DataError: no source answers, or the data are damaged.
        """

    @abstractmethod
    def check(self, root: Path) -> RenderableType:
        """Read everything in ``root`` and describe it; DataError where it is not what it should be."""


PREPARERS: dict[str, Preparer] = {}
"""By the name of their data set: those that have been imported so far."""
Class = TypeVar("Class", bound=type[Preparer])


def preparer(cls: Class) -> Class:
    """Class decorator: make a preparer known to ``tools/prepare.py``; ConfigError if its name is taken."""
    load_shipped("preparer", cls.name)
    if cls.name in PREPARERS:
        raise ConfigError(f"{cls.name} is already prepared by {type(PREPARERS[cls.name]).__qualname__}")
    PREPARERS[cls.name] = cls()
    return cls


def find(name: str) -> Preparer:
    """The preparer of a data set; a DataError lists those there are."""
    if name not in PREPARERS:
        load("preparer", name)
    if name not in PREPARERS:
        raise DataError(unknown("data set", name, preparers()))
    return PREPARERS[name]


def preparers() -> dict[str, Preparer]:
    """All preparers by the name of their data set, sorted: shipped ones and those of plugins."""
    load_all("preparer")
    return dict(sorted(PREPARERS.items()))
