"""A file behind HTTP, read by byte ranges, with retries that resume where the connection broke."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from geo_lm4ve.blocks.base import BlockError

if TYPE_CHECKING:
    from geo_lm4ve.blocks.sources.hub_repository import HubRepository

HEAD_BYTES = 32_768
"""Read at once from the start of a file: holds the header of most shards, and costs little beside a layer."""

RETRIES = 5
FIRST_WAIT = 1.0  # seconds; doubled after every failure in a row

_TIMEOUT = 30.0  # seconds without a byte
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_BUSY = (408, 429, 500, 502, 503, 504)


class _ServerBusyError(Exception):
    """A status that may pass: worth another try."""


def _nothing(count: int) -> None:
    """The default progress callback."""


class RemoteFile:
    """One file of a repository.

    Attributes:
        place: for messages: repository, revision and file.
        received: bytes of content that came over the network so far.
    """

    def __init__(self, repository: HubRepository, name: str) -> None:
        """Nothing is asked of the server yet."""
        self.place = f"{repository.place}/{name}"
        self.received = 0
        self._repository = repository
        self._name = name
        self._size: int | None = None
        self._head = b""

    @property
    def size(self) -> int:
        """Bytes of the whole file, as the server states them."""
        self.require()
        return self._size or 0

    def require(self) -> None:
        """FileNotFoundError unless the repository has it."""
        if self._size is None:
            self._fetched(0, 1, _nothing)

    def head(self) -> bytes:
        """The first bytes of the file, at most HEAD_BYTES; asked for once."""
        if not self._head:
            self._head = bytes(self._fetched(0, HEAD_BYTES, _nothing))
        return self._head

    def whole(self) -> bytes:
        """All of a small file, without asking for a range: servers need not cut what is no large file."""
        return bytes(self._fetched(0, None, _nothing))

    def read(self, start: int, stop: int, advance: Callable[[int], None] = _nothing) -> bytearray:
        """Bytes ``start`` to ``stop``; ``advance`` is called with the number of bytes as they arrive.

        Raises:
            BlockError: the range lies outside the file, the server ignores ranges, refuses, or stays unreachable.
        """
        if not 0 <= start <= stop <= self.size:
            raise BlockError(f"{self.place} has {self.size} bytes; {start} to {stop} are not in it: it is damaged")
        return self._fetched(start, stop, advance)

    def _fetched(self, start: int, stop: int | None, advance: Callable[[int], None]) -> bytearray:
        """One range (to the end for None: then a broken connection starts again from the beginning)."""
        data = bytearray()
        failures = 0
        while True:
            before = len(data)
            try:
                for chunk in self._streamed(start + len(data), stop):
                    data += chunk
                    self.received += len(chunk)
                    advance(len(chunk))
                return data
            except (self._repository.transport_error, _ServerBusyError) as error:
                failures = 1 if len(data) > before else failures + 1
                if failures > RETRIES:
                    raise self._repository.unreachable(self._name, error) from error
                if stop is None:
                    data.clear()
                time.sleep(FIRST_WAIT * 2 ** (failures - 1))

    def _streamed(self, start: int, stop: int | None) -> Iterator[bytes]:
        """The content of one answer; the HTTP client raises when it is shorter than announced."""
        wanted = {"Accept-Encoding": "identity"}
        if stop is not None:
            if start >= min(stop, self._size or stop):
                return
            wanted["Range"] = f"bytes={start}-{stop - 1}"
        with self._repository.stream(self._name, wanted, _TIMEOUT) as response:
            if response.status_code in _BUSY:
                raise _ServerBusyError(f"HTTP {response.status_code}")
            self._repository.require_success(response, self._name)
            if stop is not None:
                self._require_range(response, start)
            yield from response.iter_raw()

    def _require_range(self, response: Any, start: int) -> None:
        found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if response.status_code != 206 or found is None or int(found[1]) != start:
            raise BlockError(
                f"{self.place}: the server does not serve byte ranges (HTTP {response.status_code}), so a single layer "
                "cannot be fetched; use another HF_ENDPOINT, or download the repository and use dir:FOLDER"
            )
        if self._size not in (None, int(found[3])):
            raise BlockError(f"{self.place} changed while it was read; run the same command again")
        self._size = int(found[3])
