"""Progress of a long preparation: rate and time left, as a bar on a terminal and as lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from geo_lm4ve.notice import first_process, say

LINE_EVERY = 10.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """Counts scenes while a body of work runs.

    Args:
        doing: what is being done.
        total: scenes in all.
        done: scenes that an earlier run has finished.
    """

    def __init__(self, doing: str, total: int, done: int = 0):
        self.doing, self.total, self.done, self.earlier, self.dropped = doing, total, done, done, 0
        self.start = self.told = time.monotonic()
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
        shown = sys.stderr.isatty() and first_process()
        self.bar = Bar(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True), disable=not shown)
        self.shown = shown

    def __enter__(self) -> Progress:
        """Show the bar, or say what begins."""
        kept = f", {self.done:,} of them done earlier" if self.done else ""
        if not self.shown:
            say(f"{self.doing}: {self.total:,} scenes{kept}")
        self.bar.start()
        self.task = self.bar.add_task(self.doing, total=self.total, completed=self.done, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self.bar.stop()

    def advance(self, scenes: int, dropped: int = 0) -> None:
        """Count some more scenes."""
        self.done += scenes
        self.dropped += dropped
        self.bar.update(self.task, completed=self.done, note=self.note)
        now = time.monotonic()
        if not self.shown and now - self.told > LINE_EVERY:
            self.told = now
            left = (self.total - self.done) / max(self.rate, 1e-9)
            say(f"{self.doing}: {self.done:,} of {self.total:,}, {left / 60:.1f} min left, {self.note}")

    @property
    def rate(self) -> float:
        """Scenes per second of this run."""
        return (self.done - self.earlier) / max(time.monotonic() - self.start, 1e-9)

    @property
    def note(self) -> str:
        """Rate and dropped scenes."""
        return f"{self.rate:,.0f}/s" + (f", {self.dropped:,} dropped" if self.dropped else "")
