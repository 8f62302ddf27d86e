"""Progress with rate and time left: a bar on a terminal, a line now and then elsewhere; of the first process only."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from geo_lm4ve.words import line

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 15.0


def first_process() -> bool:
    """False on the further processes of a distributed run, known from the launcher's environment."""
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


class Meter:
    """Counts what is done of a total, on standard error; use as a context manager.

    Args:
        label: what is going on ("epoch 3/20").
        total: how much there is in all; None where nobody knows.
        unit: what is counted, in the plural; ``bytes`` are shown in megabytes, "" has no name.
        quiet: show nothing; further processes never do.
        done: how much is behind us already (a resumed epoch, a transfer that broke off).
        announced: where there is no bar, say at the beginning what begins (long preparations).
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        unit: str = "samples",
        quiet: bool = False,
        done: int = 0,
        announced: bool = False,
    ):
        self.label, self.total, self.done, self.announced = line(label), total, done, announced
        self.scale, self.shown = (1e6, "MB") if unit == "bytes" else (1.0, unit)
        self.quiet = quiet or not first_process()
        self.first, self.note = done, ""
        self.start = self.last_line = time.monotonic()
        self.bar = _bar() if sys.stderr.isatty() and not self.quiet else None

    def __enter__(self) -> Meter:
        """Show the bar, or say what begins."""
        self.start = self.last_line = time.monotonic()
        if self.bar:
            self.task = self.bar.add_task(self.label, total=self.total, completed=self.done, counted="", rate="")
            self.bar.start()
        elif self.announced and not self.quiet:
            self._print(self._opening())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self.bar:
            self.bar.stop()

    def advance(self, count: int, note: str = "") -> None:
        """Count some more; ``note`` is shown behind the rate ("3 dropped")."""
        self.done, self.note = self.done + count, line(note)
        now = time.monotonic()
        if self.bar:
            self.bar.update(self.task, completed=self.done, counted=self._counted(), rate=self._rate(now))
        elif not self.quiet and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            self._print(self.line(now))

    @property
    def rate(self) -> float:
        """How much per second so far, without what was done before."""
        return self._speed(time.monotonic())

    def line(self, now: float) -> str:
        """Amount, rate and time left in words; ``now`` as ``time.monotonic`` has it."""
        text = f"{self.label}: {self._counted()}, {self._rate(now)}"
        if self.total is None:
            return text
        left = max(self.total - self.done, 0) / max(self._speed(now), 1e-9)
        return f"{text}, {left:.0f} s left" if left < 120 else f"{text}, {left / 60:.1f} min left"

    def _speed(self, now: float) -> float:
        return (self.done - self.first) / max(now - self.start, 1e-9)

    def _opening(self) -> str:
        """What begins, and what of it an earlier run has done."""
        if self.total is None or not self.shown:
            return f"{self.label} ..."
        earlier = f", {self._amount(self.done)} of them done earlier" if self.done else ""
        return f"{self.label}: {self._amount(self.total)} {self.shown}{earlier}"

    def _amount(self, count: float) -> str:
        return f"{count / self.scale:,.0f}"

    def _counted(self) -> str:
        of = "" if self.total is None else f" of {self._amount(self.total)}"
        return f"{self._amount(self.done)}{of} {self.shown}".rstrip()

    def _rate(self, now: float) -> str:
        speed = self._speed(now) / self.scale
        shown = f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}"
        rate = f"{shown} {self.shown}/s" if self.shown else f"{shown}/s"
        return f"{rate}, {self.note}" if self.note else rate

    def _print(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _bar() -> Progress:
    from rich.console import Console  # imported when a bar is shown: blocks are read without it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    label, counted, rate = (
        TextColumn(text, markup=False)  # labels hold paths, and paths may hold brackets
        for text in ("{task.description}", "{task.fields[counted]}", "{task.fields[rate]}")
    )
    columns = (label, BarColumn(), counted, rate, TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
