"""Meshes with coloured vertices in PLY files, as ScanNet's ``<scan>_vh_clean_2.ply``.

Not by ``geometry.mesh_files``, whose trimesh takes an unknown format and colours beyond a byte without a word. What the
header declares is held against the size of the file before memory is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.scannet.ply_header import Element, Header, read_header
from geo_lm4ve.reading import check_bytes, reader

FARTHEST = 1e5
"""Metres that a coordinate may have; a scan of rooms has some tens."""
_PLACE, _COLOR = ("x", "y", "z"), ("red", "green", "blue")


@dataclass(frozen=True)
class ScanMesh:
    """A mesh with coloured vertices.

    Attributes:
        points: (V, 3) in the coordinates of the file.
        colors: (V, 3) red, green, blue.
        faces: (F, 3) corners of the triangles, rows of ``points``.
    """

    points: Float32[np.ndarray, "v 3"]
    colors: UInt8[np.ndarray, "v 3"]
    faces: Int32[np.ndarray, "f 3"]

    def __len__(self) -> int:
        """Number of vertices V."""
        return len(self.points)


@reader(DataError, "a PLY mesh with coloured vertices", "get that scan again")
def read_ply(path: Path) -> ScanMesh:
    """The mesh in a file, ascii or binary.

    Vertices have x, y, z, red, green and blue (0 to 255), whatever else; faces are triangles. A file without faces has
    none.

    Raises:
        DataError: it is something else, cut off, or a face has a corner that is no vertex.
    """
    with path.open("rb") as file:
        header = read_header(file)
        tables = dict(_tables(path, file, header))
    if "vertex" not in tables:
        raise ValueError("it has no element 'vertex'")
    places = _columns(tables["vertex"], _PLACE)
    if len(odd := np.flatnonzero(~(np.abs(places) < FARTHEST).all(1))):
        raise ValueError(f"vertex {odd[0]} lies at {places[odd[0]].tolist()}, not within {FARTHEST:g} m of the origin")
    points = places.astype(np.float32)
    faces = _triangles(tables["face"]) if "face" in tables else np.empty((0, 3), np.int32)
    if len(faces) and (faces.min() < 0 or faces.max() >= len(points)):
        raise ValueError(f"a face has the corner {faces.max()} or {faces.min()}, there are {len(points)} vertices")
    return ScanMesh(points, _colors(_columns(tables["vertex"], _COLOR)), faces)


def _tables(path: Path, file: IO[bytes], header: Header) -> Iterator[tuple[str, np.ndarray]]:
    """Vertices and faces as tables of named columns; what lies behind both is not read."""
    wanted = {"vertex", "face"} & {element.name for element in header.elements}
    text = (line.decode("ascii") for line in file) if header.ascii else None
    start, size = header.size, os.fstat(file.fileno()).st_size
    for element in header.elements:
        if not wanted:
            return
        row = np.dtype(element.row(header.order))
        if text is not None:
            check_bytes(2 * element.count * len(element.properties), repr(element.name), stored=size - start)
            table = _lines(text, element, row)
        else:
            check_bytes(element.count * row.itemsize, repr(element.name), stored=size - start)
            table = np.fromfile(path, row, element.count, offset=start)
            start += element.count * row.itemsize
        wanted.discard(element.name)
        yield element.name, table


def _lines(text: Iterator[str], element: Element, row: np.dtype) -> np.ndarray:
    """The rows of an element in a text; those of lists have their length in front."""
    if not element.count:
        return np.empty(0, row)
    numbers = np.loadtxt(islice(text, element.count), np.float64, ndmin=2, comments=None)
    width = sum(field.shape[0] if (field := row[name]).shape else 1 for name in row.names or ())
    if numbers.shape != (element.count, width):
        raise ValueError(
            f"{element.count} rows of {width} numbers of {element.name!r} are declared, {numbers.shape} there"
        )
    table, place = np.empty(element.count, row), 0
    for name in row.names or ():
        wide = row[name].shape[0] if row[name].shape else 0
        values = numbers[:, place : place + wide] if wide else numbers[:, place]
        kind = row[name].base
        if kind.kind in "iu" and not _fits(values, kind):
            raise ValueError(f"{name!r} of {element.name!r} holds numbers that are no {kind}")
        table[name] = values
        place += wide or 1
    return table


def _fits(values: np.ndarray, kind: np.dtype) -> bool:
    limits = np.iinfo(kind)
    return bool(
        (np.isfinite(values) & (values == np.round(values)) & (values >= limits.min) & (values <= limits.max)).all()
    )


def _columns(table: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    if lacking := [name for name in names if name not in (table.dtype.names or ()) or table[name].ndim > 1]:
        raise ValueError(f"its vertices have no {', '.join(lacking)}; they need {', '.join((*_PLACE, *_COLOR))}")
    return np.stack([table[name] for name in names], 1)


def _colors(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if not _fits(values, np.dtype(np.uint8)):
        raise ValueError("red, green and blue must be whole numbers from 0 to 255")
    return values.astype(np.uint8)


def _triangles(table: np.ndarray) -> np.ndarray:
    """The corners of faces, each with their number in front."""
    lists = [name for name in table.dtype.names or () if table.dtype[name].shape]
    if len(lists) != 1:
        raise ValueError(f"its faces have {len(lists)} lists, one of three corners is wanted")
    corners = table[lists[0]]
    counts = table[f"number of {lists[0]}"]
    if len(counts) and (counts != 3).any():
        raise ValueError(f"face {int((counts != 3).argmax())} has {counts[(counts != 3).argmax()]} corners, not 3")
    if len(corners) and (corners.min() < 0 or corners.max() > np.iinfo(np.int32).max):
        raise ValueError("a corner of a face is no row of a table")
    return corners.astype(np.int32)
