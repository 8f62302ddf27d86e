"""Clouds out of single files: meshes are sampled, point files are read as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.files import UserError
from geo_lm4ve.geometry.mesh_files import PACKAGES, missing_package, read_mesh
from geo_lm4ve.geometry.mesh_sampling import sample_surface
from geo_lm4ve.geometry.tables import read_table
from geo_lm4ve.geometry.vertex_values import between, directions
from geo_lm4ve.hdf5 import dataset, open_hdf5, values
from geo_lm4ve.npy import read_npy
from geo_lm4ve.reading import reader

MESHES = (".off", ".ply", ".obj", ".stl", ".glb", ".gltf", *PACKAGES)
TABLES = (".txt", ".xyz", ".csv")
ARRAYS = (".npy", ".h5", ".hdf5")
SUFFIXES = (*MESHES, *TABLES, *ARRAYS)
"""Of all files that give a cloud."""
_MAY_BE_POINTS = (".ply", ".obj", ".glb", ".gltf")
"""Meshes whose format holds points without faces as well."""
_MOST_COLUMNS = 16
"""Columns that points with features have at most; three longer rows are coordinates that nobody transposed."""


class PointsError(UserError, ValueError):
    """A file that gives no usable cloud; the message names the file and says what to do."""


@dataclass(frozen=True)
class Cloud:
    """One cloud.

    Attributes:
        points: (n, 3) float32, in the unit of the file.
        normals: (n, 3) float32 unit normals, or None where the file has none.
        digest: SHA-256 of what the file holds, the corners of its triangles or its points in float32: files of one
            digest hold one shape, however it was sampled.
        colors: (n, 3) float32 in [0, 1], of a PLY that has them, where they were asked for; else None.
        columns: what a table or a .npy array holds behind x, y, z, (n, c) as it stands there; None for other files.
    """

    points: Float[Tensor, "n 3"]
    normals: Float[Tensor, "n 3"] | None
    digest: str
    colors: Float[Tensor, "n 3"] | None = None
    columns: np.ndarray | None = None


@reader(PointsError, "a mesh or point cloud", "export it again")
def read_points(
    path: Path | str, *, at_least: int = 1, mesh_points: int = 2048, seed: int = 0, kinds: Sequence[str] = ()
) -> Cloud:
    """The cloud in a file.

    ``.off .ply .obj .stl .glb .gltf``: a mesh, sampled uniformly over its surface with face normals (a ``.ply``,
    ``.obj`` or glTF file without faces gives its points). A scene of several objects is one mesh in the coordinates of
    its world; axes are those of the file, and glTF has y up. ``.3mf`` needs the package lxml, ``.dae`` pycollada.
    A ``.gltf`` may keep its numbers in files of the same folder; nothing else is opened. ``.npy``: (n, 3 or more).
    ``.txt .xyz .csv``: a row per point, separated by blanks or commas. ``.h5``: its dataset ``data``, and ``normal`` if
    there. Columns 4 to 6 of arrays and tables are taken as normals when they have unit length.

    Args:
        path: the file.
        at_least: points that the cloud must have.
        mesh_points: points to sample from a mesh.
        seed: seeds the sampling of a mesh.
        kinds: ``normal`` and ``color`` are read from a PLY, if it has them for its vertices; on a mesh they lie between
            those of the corners, and normals take the place of the faces'.

    Raises:
        PointsError: the file is missing, damaged or of another kind, or holds several clouds, too few points, or
            coordinates that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise PointsError(f"there is no file {path}")
    suffix = path.suffix.lower()
    if suffix in MESHES:
        return _from_mesh(path, mesh_points, seed, kinds, at_least)
    columns = None
    if suffix in (*TABLES, ".npy"):
        points, normals, columns = _columns(path, read_table(path) if suffix in TABLES else read_npy(path))
    elif suffix in (".h5", ".hdf5"):
        points, normals = _from_hdf5(path)
    else:
        known = " ".join(SUFFIXES)
        raise PointsError(f"{path}: files {suffix or 'without a suffix'} are not read; known are {known}")
    return _checked(path, points, {"normal": normals}, points, at_least, columns)


def _from_mesh(path: Path, count: int, seed: int, kinds: Sequence[str], at_least: int) -> Cloud:
    suffix = path.suffix.lower()
    if package := missing_package(suffix):
        raise PointsError(f"{path}: files {suffix} need the package {package}: pip install {package}")
    vertices, faces, values = read_mesh(path, kinds)
    if not len(vertices):
        raise PointsError(f"{path} is an empty mesh: it has no vertices")
    if not len(faces):
        if suffix not in _MAY_BE_POINTS:
            raise PointsError(f"{path} has no faces, so there is no surface to sample; store points as .xyz or .npy")
        return _checked(path, vertices, values, vertices, at_least)
    sample = sample_surface(vertices, faces, count, np.random.default_rng(seed))
    corners = faces[sample.faces]
    held = {kind: between(rows, corners, sample.weights) for kind, rows in values.items()}
    smooth = directions(held["normal"]) if "normal" in held else np.zeros_like(sample.normals)
    held["normal"] = np.where(smooth.any(axis=1, keepdims=True), smooth, sample.normals)  # nobody knows zeros
    return _checked(path, sample.points, held, vertices[faces], at_least)


def _from_hdf5(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    with open_hdf5(path) as file:
        points, normals, _ = _columns(path, values(dataset(file, "data")))
        if "normal" in file:
            normals, *_ = _columns(path, values(dataset(file, "normal")))
    return points, normals


def _columns(path: Path, table: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Points, normals and all columns behind the points of an array (n, 3 or more), maybe inside a further axis."""
    if table.ndim == 3 and len(table) > 1:
        raise PointsError(f"{path} holds {len(table)} clouds; write the one that is meant into a file of its own")
    table = table[0] if table.ndim == 3 and len(table) else table
    if table.ndim != 2 or table.shape[1] < 3:
        raise PointsError(f"{path} must hold numbers of shape (points, 3 or more), it is {table.dtype} {table.shape}")
    if len(table) == 3 and table.shape[1] > _MOST_COLUMNS:
        raise PointsError(f"{path} has 3 rows of {table.shape[1]} numbers: a row holds one point; transpose them")
    wide = table.astype(np.float64)
    return wide[:, :3], wide[:, 3:6] if unit_rows(wide[:, 3:6]) else None, table[:, 3:]


def unit_rows(rows: np.ndarray) -> bool:
    """Whether these (n, 3) are directions: three numbers a row, of length 1."""
    with np.errstate(over="ignore", invalid="ignore"):  # what has such lengths is none
        return rows.shape[1] == 3 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=0.01)


def _checked(
    path: Path,
    points: np.ndarray,
    held: Mapping[str, np.ndarray | None],
    content: np.ndarray,
    at_least: int,
    columns: np.ndarray | None = None,
) -> Cloud:
    """The cloud; ``content`` is what the points were taken from, ``held`` what they carry."""
    normals, colors = held.get("normal"), held.get("color")
    if len(points) < at_least:
        raise PointsError(f"{path} has {len(points)} points, at least {at_least} are needed; give a denser cloud")
    if normals is not None and normals.shape != points.shape:
        raise PointsError(f"{path} has normals {normals.shape} for points {points.shape}; they must agree")
    return Cloud(
        _finite(path, "point", points), None if normals is None else _finite(path, "normal", normals),
        _digest(content), None if colors is None else _finite(path, "color", colors), columns,
    )  # fmt: skip


def _digest(content: np.ndarray) -> str:
    with np.errstate(over="ignore"):  # a corner of no face may be anywhere
        return hashlib.sha256(np.ascontiguousarray(content, "<f4").tobytes()).hexdigest()


def _finite(path: Path, noun: str, rows: np.ndarray) -> Float[Tensor, "n 3"]:
    """The rows in float32, which must hold them."""
    with np.errstate(over="ignore"):
        single = rows.astype(np.float32)
    if not (finite := np.isfinite(single).all(axis=1)).all():
        row = int(np.flatnonzero(~finite)[0])
        raise PointsError(f"{path}, {noun} {row} is {rows[row].tolist()}: coordinates must be finite; remove it")
    return torch.from_numpy(single)
