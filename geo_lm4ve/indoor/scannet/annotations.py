"""ScanNet's annotations of a scan: segments of its mesh, and which of them make an object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int32, Int64

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import Fields, json_object, reader

_MOST = 2**31 - 1


@dataclass(frozen=True)
class Annotated:
    """An object.

    Attributes:
        id: ScanNet's ``objectId``.
        label: its raw category, as the annotators wrote it.
        segments: of the mesh.
    """

    id: int
    label: str
    segments: tuple[int, ...]


@reader(DataError, "ScanNet's list of objects (aggregation.json)", "get that scan again")
def read_aggregation(path: Path) -> tuple[Annotated, ...]:
    """The objects of ``<scan>.aggregation.json`` in its order.

    Raises:
        DataError: it is something else, or an ``objectId`` occurs twice.
    """
    groups = json_object(path.read_bytes()).get("segGroups")
    if not isinstance(groups, list) or not all(isinstance(one, dict) for one in groups):
        raise ValueError("it has no list of mappings called segGroups")
    rows = [Fields(one, f"segGroups[{place}].") for place, one in enumerate(groups)]
    found = tuple(Annotated(row.whole("objectId", 0, _MOST), row.text("label"), _segments(row)) for row in rows)
    seen = set[int]()
    if twice := [one.id for one in found if one.id in seen or seen.add(one.id)]:  # type: ignore[func-returns-value]
        raise ValueError(f"objectId {twice[0]} occurs twice")
    return found


def _segments(row: Fields) -> tuple[int, ...]:
    return tuple(row.wholes("segments"))


@reader(DataError, "ScanNet's segments (segs.json)", "get that scan again")
def read_segments(path: Path) -> Int64[np.ndarray, " v"]:
    """The segment of each vertex of the mesh, out of ``<scan>_vh_clean_2.0.010000.segs.json``."""
    return np.array(Fields(json_object(path.read_bytes())).wholes("segIndices"), dtype=np.int64)


def owners(objects: Sequence[Annotated], segments: Int64[np.ndarray, " v"]) -> Int32[np.ndarray, " v"]:
    """The object (its row) that each vertex belongs to, -1 for none; of several that claim a segment the last.

    Raises:
        ValueError: an object has a segment that no vertex has.
    """
    known, place = np.unique(segments, return_inverse=True)
    owner = np.full(len(known), -1, np.int32)
    for row, one in enumerate(objects):
        wanted = np.array(one.segments, dtype=np.int64)
        at = np.searchsorted(known, wanted)
        lost = (at == len(known)) | (known[np.minimum(at, len(known) - 1)] != wanted) if len(known) else wanted >= 0
        if lost.any():
            raise ValueError(f"object {one.id} has the segment {wanted[lost.argmax()]}, which no vertex has")
        owner[at] = row
    return owner[place]
