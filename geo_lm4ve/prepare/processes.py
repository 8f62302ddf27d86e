"""Processes that share the work on files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from geo_lm4ve.data.errors import DataError


@contextmanager
def processes(
    count: int, what: str, begin: Callable[..., object] | None = None, *given: Any
) -> Iterator[ProcessPoolExecutor]:
    """Processes; on any failure what they have not begun is dropped.

    Args:
        count: of them.
        what: they read, in the message ("files").
        begin: called in each of them first.
        given: to it.

    Raises:
        DataError: one was ended, as by the system where memory is short.
    """
    with ProcessPoolExecutor(count, get_context("spawn"), begin, given) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise DataError(
                f"a process that read {what} was ended, by the system where memory is short: run the same command "
                "again with --workers 1; what is done stays"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
