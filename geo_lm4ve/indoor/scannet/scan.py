"""One scan of ScanNet as a room: ScanQA's preparation (``data/scannet/load_scannet_data.py``), without its files."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int32

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.scannet.alignment import read_alignment
from geo_lm4ve.indoor.scannet.annotations import Annotated, owners, read_aggregation, read_segments
from geo_lm4ve.indoor.scannet.labels import LabelMap
from geo_lm4ve.indoor.scannet.multiview import read_multiview
from geo_lm4ve.indoor.scannet.normals import vertex_normals
from geo_lm4ve.indoor.scannet.nyu40 import UNMAPPED, detection_class, is_object
from geo_lm4ve.indoor.scannet.ply import ScanMesh, read_ply

LEAST = 64
"""Vertices that a scan must have."""
POINTS = 50_000
"""Vertices of a scan that ScanQA keeps at most."""


@dataclass(frozen=True)
class ScanFiles:
    """The files of one scan, named as ScanNet names them.

    Attributes:
        folder: that has a folder for each scan.
        name: of the scan.
    """

    folder: Path
    name: str

    def file(self, ending: str) -> Path:
        """One of them."""
        return self.folder / self.name / f"{self.name}{ending}"

    @property
    def mesh(self) -> Path:
        """Vertices, colours and faces."""
        return self.file("_vh_clean_2.ply")

    @property
    def segments(self) -> Path:
        """Segments of the mesh."""
        return self.file("_vh_clean_2.0.010000.segs.json")

    @property
    def objects(self) -> Path:
        """Which segments make an object."""
        return self.file(".aggregation.json")

    @property
    def facts(self) -> Path:
        """Its axis alignment."""
        return self.file(".txt")

    @property
    def all(self) -> tuple[Path, ...]:
        """All four."""
        return self.mesh, self.segments, self.objects, self.facts


@dataclass(frozen=True)
class Facts:
    """What is worth saying of a scan.

    Attributes:
        vertices: of its mesh.
        aligned: it has an axis alignment; without one its axes are taken as they are, as ScanQA does.
        annotated: it has annotations; ScanNet's test scans have none.
        unmapped: label that nothing maps -> objects with it.
    """

    vertices: int
    aligned: bool
    annotated: bool
    unmapped: dict[str, int] = field(default_factory=dict)


def read_scan(
    files: ScanFiles, labels: LabelMap, points: int = POINTS, multiview: Path | None = None
) -> tuple[Room, Facts]:
    """A scan with its objects.

    Boxes are those of all vertices of an object; points are a random subset of the vertices, the same whenever it is
    drawn, in random order.

    Args:
        files: of the scan.
        labels: what the annotators' words mean.
        points: kept at most.
        multiview: HDF5 file of image features.

    Raises:
        DataError: a file is missing, damaged, or does not belong to the others; there are less than ``LEAST`` vertices.
    """
    mesh, alignment = read_ply(files.mesh), read_alignment(files.facts)
    if len(mesh) < LEAST:
        raise DataError(f"{files.mesh} has {len(mesh)} vertices, a scan has at least {LEAST}; get that scan again")
    objects, owner = _objects(files, len(mesh))
    aligned = mesh.points if alignment is None else _moved(mesh.points, alignment)
    numbers = [labels[one.label] for one in objects]
    boxes = _boxes(aligned, owner, len(objects))
    kept = [row for row, box in enumerate(boxes) if box is not None and is_object(numbers[row] or UNMAPPED)]
    chosen = _chosen(files.name, len(mesh), points)
    features = None if multiview is None else read_multiview(multiview, files.name, len(mesh))[chosen]
    room = Room(
        files.name, aligned[chosen], mesh.colors[chosen], vertex_normals(mesh.points, mesh.faces)[chosen],
        _rows(kept, len(objects))[owner[chosen]], np.array([boxes[row] for row in kept], np.float32).reshape(-1, 6),
        np.array([detection_class(numbers[row] or UNMAPPED) for row in kept], np.int64),
        np.array([numbers[row] or UNMAPPED for row in kept], np.int64),
        np.array([objects[row].id for row in kept], np.int64), tuple(objects[row].label for row in kept),
        np.eye(4) if alignment is None else alignment, _center(mesh), features,
    )  # fmt: skip
    unmapped = Counter(one.label for one, number in zip(objects, numbers) if number is None)
    return room, Facts(len(mesh), alignment is not None, files.objects.is_file(), dict(unmapped))


def _objects(files: ScanFiles, vertices: int) -> tuple[Sequence[Annotated], Int32[np.ndarray, " v"]]:
    """Objects and the one of each vertex; nothing where the scan has no annotations at all."""
    if not files.objects.is_file() and not files.segments.is_file():
        return (), np.full(vertices, -1, np.int32)
    objects, segments = read_aggregation(files.objects), read_segments(files.segments)
    if len(segments) != vertices:
        raise DataError(
            f"{files.segments} has segments of {len(segments):,} vertices, {files.mesh.name} has {vertices:,}; get "
            "both again, from one release"
        )
    try:
        return objects, owners(objects, segments)
    except ValueError as fault:
        raise DataError(f"{files.objects} does not belong to {files.segments.name}: {fault}; get both again") from fault


def _moved(points: Float32[np.ndarray, "v 3"], motion: Float64[np.ndarray, "4 4"]) -> Float32[np.ndarray, "v 3"]:
    moved: np.ndarray = (points.astype(np.float64) @ motion[:3, :3].T + motion[:3, 3]).astype(np.float32)
    return moved


def _center(mesh: ScanMesh) -> Float64[np.ndarray, " 3"]:
    center: np.ndarray = (mesh.points.min(0).astype(np.float64) + mesh.points.max(0)) / 2
    return center


def _boxes(
    points: Float32[np.ndarray, "v 3"], owner: Int32[np.ndarray, " v"], count: int
) -> list[Float64[np.ndarray, " 6"] | None]:
    """Centre and size round the vertices of each object; None for one without a vertex."""
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(count + 1))
    found: list[np.ndarray | None] = []
    for start, stop in itertools.pairwise(starts.tolist()):
        mine = points[order[start:stop]].astype(np.float64)
        found.append(
            np.concatenate([(mine.min(0) + mine.max(0)) / 2, mine.max(0) - mine.min(0)]) if len(mine) else None
        )
    return found


def _chosen(name: str, vertices: int, points: int) -> np.ndarray:
    """From the name, so that neither other scans nor their order matter."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    chosen: np.ndarray = np.random.default_rng(seed).permutation(vertices)[:points]
    return chosen


def _rows(kept: Sequence[int], count: int) -> Int32[np.ndarray, " c"]:
    """New row of each object, -1 for those left out and, at the end, for none."""
    rows = np.full(count + 1, -1, np.int32)
    rows[list(kept)] = np.arange(len(kept))
    return rows
