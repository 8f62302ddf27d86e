"""Files of one's own as samples: what a data set answers to ``tools/predict.py``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.data.found import Found


class OwnFiles(ABC):
    """How files become samples, prepared as those of the test split are; needs no data set on disk.

    One object serves one command: it may remember what it has read.
    """

    @abstractmethod
    def find(self, given: Sequence[Path]) -> Found:
        """The files that are meant by files and folders; not yet looked into."""

    @abstractmethod
    def sample(self, path: Path) -> Any:
        """One file, ready for ``batch``.

        Raises:
            UserError: it cannot be read, or is of another kind; the message names it.
        """

    @abstractmethod
    def batch(self, samples: Sequence[Any]) -> Any:
        """Some samples, at least one, as the Batch that the encoder takes."""

    def remark(self) -> str:
        """What is to be said, once, of all that was read; empty if nothing is."""
        return ""
