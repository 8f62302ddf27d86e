"""Rooms of a prepared folder, the last ones kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.stored.folder import room_file
from geo_lm4ve.indoor.stored.room_file import read_room


class Rooms:
    """Rooms by name, read when they are asked for; used by several threads at a time.

    Args:
        root: the prepared folder.
        budget: bytes that rooms in memory may take; the one used last goes in even where it is larger.

    Attributes:
        reads: how many have been read from disk.
    """

    def __init__(self, root: Path, budget: int):
        self.root, self.budget, self.reads = root, budget, 0
        self.kept: OrderedDict[str, Room] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()

    def __getitem__(self, name: str) -> Room:
        """A room; DataError where its file is damaged or another one's."""
        with self.lock:
            if name in self.kept:
                self.kept.move_to_end(name)
                return self.kept[name]
        room = read_room(path := room_file(self.root, name))
        if room.name != name:
            raise DataError(f"{path} holds the room {room.name!r}: delete it and prepare the data again")
        with self.lock:
            self.reads += 1
            self._keep(name, room)
        return room

    def _keep(self, name: str, room: Room) -> None:
        if name not in self.kept:
            self.kept[name] = room
            self.bytes += size(room)
        while self.bytes > self.budget and len(self.kept) > 1:
            _, gone = self.kept.popitem(last=False)
            self.bytes -= size(gone)


def size(room: Room) -> int:
    """Bytes of its arrays."""
    return sum(value.nbytes for value in vars(room).values() if isinstance(value, np.ndarray))
