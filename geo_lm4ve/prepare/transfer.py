"""Progress of a transfer: bytes, rate and time left."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from geo_lm4ve.notice import say

SECONDS_BETWEEN_LINES = 15.0


class Transfer:
    """Counts the bytes of one transfer: a bar on a terminal, a line now and then elsewhere; a context manager.

    Args:
        label: what is transferred.
        done: bytes that were there before.
        total: bytes in the end; equal to ``done`` where the source does not tell.
    """

    def __init__(self, label: str, done: int, total: int):
        self.label, self.done, self.total = label, done, total
        self.before, self.start = done, time.monotonic()
        self.last_line = self.start
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self.bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self.bar.disable = not sys.stderr.isatty()
        self.task = self.bar.add_task(label, total=total if total > done else None, completed=done)

    def __enter__(self) -> Transfer:
        """Show the bar."""
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self.bar.stop()

    def advance(self, count: int) -> None:
        """Count some bytes."""
        self.done += count
        self.bar.update(self.task, completed=self.done)
        now = time.monotonic()
        if self.bar.disable and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            say(self.line(now))

    def line(self, now: float) -> str:
        """Bytes, rate and time left in words."""
        rate = (self.done - self.before) / max(now - self.start, 1e-9)
        text = f"{self.label}: {self.done / 1e6:.0f} MB at {rate / 1e6:.1f} MB/s"
        if self.total > self.done:
            text += f", {(self.total - self.done) / max(rate, 1e-9):.0f} s left of {self.total / 1e6:.0f} MB"
        return text
