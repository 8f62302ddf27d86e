"""Batches made ahead of their use, by threads.

Threads and not processes: what takes time in a batch (indexing, decoding, reading) is done by libraries that let other
threads run meanwhile; the data in memory, clouds or a window of shards, is there once and not once per worker; nothing
is pickled; and a thread starts at once, where a process would first import torch.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Made = TypeVar("Made")


def made_ahead(make: Callable[[int], Made], numbers: Iterable[int], *, workers: int, prefetch: int) -> Iterator[Made]:
    """What ``make`` returns for each number, in order, whatever the number of workers.

    An error comes out where its result would have: after all results before it. When the iteration ends, by an error,
    by being closed or by being thrown away, what is not begun is dropped, and what is being made is waited for: no
    worker is left behind.

    Args:
        make: called in threads, several at a time.
        numbers: what to call it with.
        workers: threads; 0: each is made when it is asked for, here.
        prefetch: how many results each worker may be ahead.
    """
    if not workers:
        yield from map(make, numbers)
        return
    remaining, exiting = iter(numbers), sys.is_finalizing
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        waiting = deque(pool.submit(make, number) for number in islice(remaining, workers * prefetch))
        while waiting:
            coming = waiting.popleft()
            waiting.extend(pool.submit(make, number) for number in islice(remaining, 1))
            yield coming.result()
    finally:
        if not exiting():  # when the interpreter exits, the threads have ended, and modules may be gone
            pool.shutdown(cancel_futures=True)
