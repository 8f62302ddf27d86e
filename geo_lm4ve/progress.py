"""Progress with rate and time left: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 15.0


class Meter:
    """Counts samples of a known total; use as a context manager.

    Args:
        label: what is going on ("epoch 3/20").
        total: number of samples.
        quiet: print nothing (all but the main process).
        done: samples already behind us (a resumed epoch).
    """

    def __init__(self, label: str, total: int, *, quiet: bool = False, done: int = 0):
        self.label, self.total, self.done = label, total, done
        self.quiet = quiet
        self.first, self.start = done, time.monotonic()
        self.last_line = self.start
        terminal = sys.stderr.isatty() and not quiet
        self.bar = _bar() if terminal else None
        self.task = self.bar.add_task(label, total=total, completed=done, rate="") if self.bar else None

    def __enter__(self) -> Meter:
        """Show the bar."""
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self.bar:
            self.bar.stop()

    @property
    def rate(self) -> float:
        """Samples per second so far."""
        return (self.done - self.first) / max(time.monotonic() - self.start, 1e-9)

    def advance(self, samples: int, note: str = "") -> None:
        """Count some samples; ``note`` is shown behind the rate."""
        self.done += samples
        text = f"{self.rate:.0f} samples/s {note}"
        now = time.monotonic()
        if self.bar and self.task is not None:
            self.bar.update(self.task, completed=self.done, rate=text)
        elif not self.quiet and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            left = (self.total - self.done) / max(self.rate, 1e-9)
            print(f"{self.label}: {self.done}/{self.total}, {text}, {left:.0f} s left", file=sys.stderr, flush=True)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
