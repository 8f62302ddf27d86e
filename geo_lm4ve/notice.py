"""What data preparation says while it works, on stderr of the first process: single lines, loops with progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from geo_lm4ve.progress import Meter, first_process
from geo_lm4ve.words import line

Item = TypeVar("Item")


def say(text: str) -> None:
    """One line on stderr."""
    if first_process():
        print(line(text), file=sys.stderr, flush=True)


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items, with a Meter over them that says at the beginning what is being done."""
    with Meter(doing, len(items), unit="", announced=True) as meter:
        for item in items:
            yield item
            meter.advance(1)
