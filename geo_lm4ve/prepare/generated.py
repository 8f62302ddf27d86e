"""Preparers of generated data: nothing is fetched, and some numbers can be chosen."""

from __future__ import annotations

import argparse
import shlex
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.prepare.base import Preparer
from geo_lm4ve.words import line


class GeneratedPreparer(Preparer):
    """Generates a data set; its data option also does so on first use.

    Attributes:
        title: heading of its options in the help text.
        numbers: option -> what it counts; the data option has a key of that name.
        given: option -> value, for those that the command line has.
    """

    title: ClassVar[str]
    numbers: ClassVar[Mapping[str, str]]
    given: dict[str, Any]

    def __init__(self) -> None:
        self.given = {}

    def options(self, parser: argparse.ArgumentParser) -> None:
        """See Preparer.options."""
        own = parser.add_argument_group(self.title)
        for name, about in self.numbers.items():
            own.add_argument(f"--{name}", type=int, metavar="N", help=about)

    def take(self, given: argparse.Namespace) -> None:
        """See Preparer.take."""
        super().take(given)
        self.given = {name: value for name in self.numbers if (value := getattr(given, name)) is not None}

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; there is nothing to take from a ``source``."""
        if source:
            raise DataError(f"{self.name} is generated: --from has no meaning here")
        self.generate(root)

    @abstractmethod
    def generate(self, root: Path) -> None:
        """Put the data of the numbers ``given`` into ``root``; errors are those of the data option."""

    def place_of(self, root: Path) -> str:
        """What tells a data option where the data are, and their numbers."""
        changes = "".join(f" data.{name}={value}" for name, value in self.given.items())
        return f"data.root={shlex.quote(str(root))}{changes}"

    def advice(self, root: Path) -> str:
        """See Preparer.advice."""
        return line(f"to read it: data={self.name} {self.place_of(root)}")
