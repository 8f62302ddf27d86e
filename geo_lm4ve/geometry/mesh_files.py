"""Triangles out of mesh files; what a file refers to (materials, textures) is never opened, but buffers of a glTF file.

OFF (of ModelNet), OBJ and glTF are read here; PLY and STL by trimesh, whose results are held against what the file
declares: it takes tables with missing rows and numbers that end in letters without a word. 3MF and COLLADA are read by
it too, where the package that it needs for them is installed. All of it is called inside a guard (``reading.py``):
faults are ValueErrors.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from geo_lm4ve.geometry.gltf import read_gltf
from geo_lm4ve.geometry.vertex_values import vertex_values
from geo_lm4ve.reading import check_bytes

Triangles = tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]


class Mesh(NamedTuple):
    """Triangles, and what their corners carry: ``normal``, ``color`` (``vertex_values.py``)."""

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    values: Mapping[str, Float[np.ndarray, "v 3"]] = {}


_FOREIGN = (NameError, ImportError, SyntaxError)
"""What trimesh raises about files, and the guard would take for a mistake of our own."""

PACKAGES = {".3mf": "lxml", ".dae": "pycollada"}
"""What trimesh needs to read files with these suffixes."""


def read_mesh(path: Path, kinds: Sequence[str] = ()) -> Mesh:
    """Vertices and triangles of a mesh file; without triangles where the file has none.

    A scene with several objects is one mesh, in the coordinates of its world. ``kinds`` of values at the vertices are
    read from a PLY, as far as it has them.

    Raises:
        ValueError: the file is cut off, or a face has a corner that is no vertex.
    """
    content, suffix = path.read_bytes(), path.suffix.lower().removeprefix(".")
    if suffix in ("glb", "gltf"):
        return Mesh(*read_gltf(path, content))
    own = {"off": _off, "obj": _obj}
    mesh = Mesh(*own[suffix](content)) if suffix in own else _by_trimesh(content, suffix, kinds)
    vertices, faces = mesh.vertices, mesh.faces
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError(f"a face has the corner {faces.max()} or {faces.min()}, there are {len(vertices)} vertices")
    return mesh


def missing_package(suffix: str) -> str | None:
    """The package without which files with this suffix cannot be read here; None if they can."""
    if suffix not in PACKAGES:
        return None
    import trimesh

    return None if suffix[1:] in trimesh.available_formats() else PACKAGES[suffix]


def _off(content: bytes) -> Triangles:
    """OFF, with or without a line break after that word, as many files of ModelNet lack it."""
    lines = [
        line for line in (line.split("#")[0].strip() for line in content.decode(errors="replace").splitlines()) if line
    ]
    if not lines or not (head := re.match(r"(ST)?C?N?OFF(?=\d|\s|$)", lines[0])):
        raise ValueError("its first word is not OFF")
    lines[:1] = [rest] if (rest := lines[0][head.end() :].strip()) else []
    counts = [int(word) for word in lines[0].split()[:2]] if lines else []
    if len(counts) != 2 or min(counts) < 0:
        raise ValueError("the numbers of vertices and faces are missing")
    if len(lines) - 1 < sum(counts):
        raise ValueError(f"{counts[0]} vertices and {counts[1]} faces take as many lines, there are {len(lines) - 1}")
    corners = [line.split()[:3] for line in lines[1 : counts[0] + 1]]
    faces: list[tuple[int, int, int]] = []
    for line in lines[counts[0] + 1 : sum(counts) + 1]:
        words = [int(word) for word in line.split()[: 1 + int(line.split()[0])]]  # a colour may follow
        faces += _fan(words[1:], words[0], line) if words[0] not in (1, 2) else []
    return np.array(corners, np.float64).reshape(counts[0], 3), np.array(faces, np.int64).reshape(-1, 3)


def _fan(corners: list[int], count: int, line: str) -> list[tuple[int, int, int]]:
    """The triangles of a polygon."""
    if len(corners) != count or count < 3:
        raise ValueError(f"the face {line[:60]!r} lacks corners")
    return [(corners[0], second, third) for second, third in itertools.pairwise(corners[1:])]


def _obj(content: bytes) -> Triangles:
    """All objects of an OBJ together; the corners of a face count from 1, or back from the last vertex so far."""
    vertices: list[list[str]] = []
    faces: list[tuple[int, int, int]] = []
    for line in content.decode(errors="replace").replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["v"]:
            vertices.append(words[1:4])
        elif words[:1] == ["f"]:
            corners = [int(word.split("/")[0]) for word in words[1:]]
            if min(corners, default=0) < -len(vertices) or 0 in corners:
                raise ValueError(f"the corners of a face count from 1: {line[:60]!r}")
            faces += _fan([c - 1 if c > 0 else c + len(vertices) for c in corners], len(corners), line)
    return np.array(vertices, np.float64).reshape(len(vertices), 3), np.array(faces, np.int64).reshape(-1, 3)


def _by_trimesh(content: bytes, suffix: str, kinds: Sequence[str]) -> Mesh:
    import trimesh  # half a second that only mesh files need

    if suffix == "stl":
        _check_end(content)
    if suffix == "3mf":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_bytes(sum(member.file_size for member in archive.infolist()), "what is packed in it")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "string or file could not be read")  # numbers that end early
            mesh: Any = trimesh.load(io.BytesIO(content), file_type=suffix, process=False, skip_materials=True)
            mesh = mesh.to_mesh() if isinstance(mesh, trimesh.Scene) else mesh
            elements = mesh.metadata.get("_ply_raw", {})
            _check_elements(elements)
            vertices = np.asarray(mesh.vertices, np.float64).reshape(-1, 3)
            faces = np.asarray(getattr(mesh, "faces", ()), np.int64).reshape(-1, 3)
            table = elements.get("vertex", {}).get("data")
            return Mesh(vertices, faces, {} if table is None else vertex_values(table, len(vertices), kinds))
    except _FOREIGN as fault:
        raise ValueError(str(fault)) from fault


def _check_end(content: bytes) -> None:
    """A text is only known to be whole by its last line; binary files give their number of triangles."""
    text = content[:5].lower() == b"solid" and b"\0" not in content
    if text and not content.rstrip().splitlines()[-1].strip().lower().startswith(b"endsolid"):
        raise ValueError("its last line is not 'endsolid'")


def _check_elements(elements: dict[str, Any]) -> None:
    """The tables of a PLY must have the rows that its header declares, and lists the one length they are read with."""
    for name, element in elements.items():
        data = element.get("data")
        first = next(iter(data.values()), ()) if isinstance(data, dict) else data
        if (rows := 0 if first is None else len(first)) != element["length"]:
            raise ValueError(f"{element['length']} rows of {name!r} are declared, there are {rows}")
        for field in (data.dtype.names or ()) if isinstance(data, np.ndarray) else ():
            lists = data[field]
            if lists.dtype.names and (lists["f0"] != (lists["f1"].shape[1] if lists["f1"].ndim > 1 else 1)).any():
                raise ValueError(f"the lists {field!r} of {name!r} differ in length")
