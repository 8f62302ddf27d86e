"""One file as a cloud of a data set: sampled, centred, on the unit sphere; the same whoever reads it, in any order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import UserError
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.meshes import read_points
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.points.prepare.listing import Item
from geo_lm4ve.prepare.processes import processes

WORTH_PROCESSES = 64
"""Files for which it pays to start processes, which takes seconds."""
_AT_ONCE = 4
KINDS = ("normal", "color")
"""What is kept of points besides their coordinates, where a file has it."""


@dataclass(frozen=True)
class Sampled:
    """A cloud.

    Attributes:
        points: (p, 3) float32, centred, on the unit sphere.
        normals: (p, 3) float32 unit normals; None where the file has none.
        colors: (p, 3) float32 in [0, 1]; None where the file is no PLY that has them.
        digest: of the shape in the file, see ``geometry.meshes.Cloud``.
    """

    points: Float[np.ndarray, "p 3"]
    normals: Float[np.ndarray, "p 3"] | None
    digest: str
    colors: Float[np.ndarray, "p 3"] | None = None


@dataclass(frozen=True)
class Unreadable:
    """A file that gave no cloud, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        """Both, the name once."""
        return self.reason if self.name in self.reason else f"{self.name}: {self.reason}"


T = TypeVar("T")
Each = Callable[[Sequence[Item]], Iterator[T]]
"""What is made of each file, in the order of the files."""


def sample(item: Item, points: int, seed: int) -> Sampled | Unreadable:
    """``points`` of a file: uniform over the surface of a mesh, the farthest points of a cloud from its first on."""
    try:
        cloud = read_points(item.path, at_least=points, mesh_points=points, seed=_seed(item, seed), kinds=KINDS)
        if not (cloud.points != cloud.points[0]).any():
            raise DataError(f"{item.path}: all its points lie at one place")
        kept = _farthest(cloud.points, points)
    except UserError as error:
        reason = str(error).replace(str(item.path), item.name)
        return Unreadable(item.name, reason)
    normals, colors = (None if held is None else held[kept].numpy() for held in (cloud.normals, cloud.colors))
    return Sampled(normalize_unit_sphere(cloud.points[kept]).numpy(), normals, cloud.digest, colors)


def _seed(item: Item, seed: int) -> int:
    """From the name below the folder, so that no other file changes what is drawn."""
    return int.from_bytes(hashlib.sha256(f"{seed}:".encode() + os.fsencode(item.name)).digest()[:8], "little")


def _farthest(points: Float[Tensor, "n 3"], count: int) -> Tensor:
    if len(points) == count:
        return torch.arange(count)
    with kernels.reference():  # another kernel may break ties differently
        return farthest_point_sample(points[None], count)[0]


def shape(item: Item) -> str:
    """Digest of the shape in a file (``geometry.meshes.Cloud``); "" where it cannot be read."""
    try:
        return read_points(item.path, mesh_points=1).digest
    except UserError:  # whoever samples it says why
        return ""


def sampling(points: int, seed: int, files: int, workers: int) -> AbstractContextManager[Each[Sampled | Unreadable]]:
    """``each`` of ``sample``."""
    return each(partial(sample, points=points, seed=seed), files, workers)


@contextmanager
def each(one: Callable[[Item], T], files: int, workers: int) -> Iterator[Each[T]]:
    """A function that reads files and gives what ``one`` makes of them, in the order of the files.

    Args:
        one: reads a file.
        files: that will be read in all.
        workers: processes; they change no outcome.

    Raises:
        DataError: a process was ended, as by the system where memory is short.
    """
    threads = torch.get_num_threads()
    if workers < 2 or files < WORTH_PROCESSES:
        torch.set_num_threads(1)
        try:
            yield partial(map, one)
        finally:
            torch.set_num_threads(threads)
        return
    with processes(min(workers, files), "files", torch.set_num_threads, 1) as pool:
        yield lambda items: pool.map(one, items, chunksize=_AT_ONCE)
