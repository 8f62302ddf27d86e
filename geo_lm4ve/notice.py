"""What data preparation says while it works: single lines and progress, on stderr of the first process only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def first_process() -> bool:
    """False on the further processes of a distributed run, known from the launcher's environment."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


def say(text: str) -> None:
    """One line on stderr."""
    if first_process():
        print(text, file=sys.stderr, flush=True)


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items, with a bar and the time left on a terminal and one line elsewhere."""
    if not sys.stderr.isatty():
        say(f"{doing} ...")
    hidden = not (sys.stderr.isatty() and first_process())
    yield from track(items, doing, console=Console(stderr=True), transient=True, disable=hidden)
