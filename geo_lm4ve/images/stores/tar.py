"""Tar archives as stores: read through once, since a tar has no directory, then by what was noted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from geo_lm4ve.cache import cache_folder
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import UserError, WriteError, write_json
from geo_lm4ve.images.stores.archive import Archive, Entry
from geo_lm4ve.notice import say
from geo_lm4ve.prepare.members import LIMITS
from geo_lm4ve.prepare.tar_members import TarMembers
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import Fields, json_object, reader

Entries = dict[str, Entry]


class NoteError(UserError):
    """A note on a tar that cannot be used; the archive is read through again."""


@reader(DataError, "an intact tar archive", "get it again")
def open_tar(place: Path) -> Archive:
    """A tar that is not compressed.

    What lies where in it is noted in the user's cache, and holds as long as the archive's size and time of change do.

    Raises:
        DataError: it is damaged, compressed, holds a name twice, links, or names that a folder cannot have.
    """
    note = cache_folder("tar_index") / f"{hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:16]}.json"
    if (entries := _noted(note, place)) is None:
        entries = _listed(place)
        _note(note, place, entries)
    return Archive(place, entries)


def _listed(place: Path) -> Entries:
    size, entries = place.stat().st_size, Entries()
    with place.open("rb") as file, Meter(f"listing {place}, once", size, unit="bytes") as meter:
        tar = TarMembers(place, file, LIMITS)
        if tar.stream is not file:
            raise DataError(f"{place} is compressed as a whole, so that nothing in it is read by itself: unpack it")
        for member in tar.members():
            if not member.folder:
                entries["/".join(member.parts)] = Entry(member.key, member.size, member.size)
            meter.advance(member.end - meter.done)
    return entries


def _note(note: Path, place: Path, entries: Entries) -> None:
    members = [[name, entry.start, entry.size] for name, entry in entries.items()]
    try:
        write_json(note, {"tar": _state(place), "members": members, "check": _check(members)})
    except WriteError as error:
        say(f"{error}; {place} is read through whenever it is opened")


def _check(members: list[Any]) -> str:
    return hashlib.sha256(json.dumps(members).encode()).hexdigest()


def _noted(note: Path, place: Path) -> Entries | None:
    if not note.is_file():
        return None
    try:
        return read_note(note, _state(place))
    except NoteError as error:
        say(str(error))
        return None


def _state(place: Path) -> list[int]:
    status = place.stat()
    return [status.st_size, status.st_mtime_ns]


@reader(NoteError, "a note on a tar archive", "reading the archive through again")
def read_note(note: Path, state: list[int]) -> Entries | None:
    """What lies where in an archive; None if the note is of an earlier state of it; NoteError if it is damaged."""
    content = Fields(json_object(note.read_bytes()))
    if content.wholes("tar") != state:
        return None
    entries, members = Entries(), content["members"]
    if not isinstance(members, list):
        raise ValueError("its members are no list")
    if content.text("check") != _check(members):
        raise ValueError("its checksum is another one")
    for name, start, size in members:
        if not isinstance(name, str) or type(start) is not int or type(size) is not int:
            raise ValueError("a member is no name, start and size")
        if min(start, size) < 0 or start + size > state[0]:
            raise ValueError("a member lies outside of the archive")
        entries[name] = Entry(start, size, size)
    return entries
