"""Where a tensor's bytes lie in a file that is not here, and which ranges to ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

_GAP = 8192  # bytes of foreign data read along rather than paying for another request


def _at_once(block: memoryview) -> int:
    return 0


@dataclass(frozen=True)
class Span:
    """One tensor in a remote file.

    Attributes:
        start, stop: byte range that contains it.
        dtype, shape: as stored.
        payload: given the bytes of the range, where in them the values begin (0 unless a local header precedes them).
        size: bytes of values.
    """

    start: int
    stop: int
    dtype: torch.dtype
    shape: tuple[int, ...]
    payload: Callable[[memoryview], int] = _at_once

    @property
    def size(self) -> int:
        """Bytes of values."""
        return prod(self.shape) * self.dtype.itemsize

    def tensor(self, block: memoryview) -> Tensor:
        """The tensor, given the bytes of its range; shares their memory where alignment allows."""
        if not self.size:
            return torch.empty(self.shape, dtype=self.dtype)
        at = self.payload(block)
        values = block[at : at + self.size]
        raw = torch.frombuffer(values, dtype=torch.uint8)
        if raw.data_ptr() % self.dtype.itemsize:
            raw = raw.clone()
        return raw.view(self.dtype).reshape(self.shape)


def merged(spans: Sequence[Span]) -> list[list[Span]]:
    """Spans in file order, grouped so that each group is one request: neighbours, or nearly so."""
    groups: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: span.start):
        if groups and span.start - groups[-1][-1].stop <= _GAP:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups
