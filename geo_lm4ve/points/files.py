"""Point clouds in the HDF5 layout of ModelNet40: ``ply_data_{split}*.h5`` and ``shape_names.txt`` in one folder.

Every HDF5 file holds ``data`` (n, points, 3) floating point and ``label`` (n,) or (n, 1) integers. What else it holds
is read where it is asked for as a feature of the points (``points/stored.py``), else ignored. Line i (from 0) of
``shape_names.txt`` names label i. One's own clouds in this layout are read the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from geo_lm4ve.data.found import natural
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.hdf5 import dataset, open_hdf5, values
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.features import in_files
from geo_lm4ve.points.stored import stored_features
from geo_lm4ve.reading import reader
from geo_lm4ve.words import line

NAMES = "shape_names.txt"


@dataclass(frozen=True)
class Clouds:
    """Clouds of one split in file order.

    Attributes:
        points: (n, points, 3) float32.
        labels: (n,) int64.
        features: (n, points, c) float32, of the kinds that files hold, in the order in which they were asked for; None
            for nothing.
    """

    points: Float[Tensor, "n p 3"]
    labels: Int[Tensor, " n"]
    features: Float[Tensor, "n p c"] | None = None

    def __len__(self) -> int:
        """Number of clouds."""
        return len(self.labels)

    def __getitem__(self, rows: Tensor) -> Clouds:
        """Some of the clouds."""
        features = None if self.features is None else self.features[rows]
        return Clouds(self.points[rows], self.labels[rows], features)

    def first(self, count: int) -> Clouds:
        """The first points of every cloud."""
        features = None if self.features is None else self.features[:, :count].contiguous()
        return Clouds(self.points[:, :count].contiguous(), self.labels, features)

    def taken(self, order: Int[Tensor, "n k"]) -> Clouds:
        """The points of every cloud at these indices, in their order."""
        features = None if self.features is None else gather(self.features, order)
        return Clouds(gather(self.points, order), self.labels, features)


def split_files(root: Path, split: str) -> list[Path]:
    """The HDF5 files of a split in natural order; empty when there are none."""
    return sorted(root.glob(f"ply_data_{split}*.h5"), key=natural)


def checked_root(root: Path, advice: str) -> Path:
    """A folder that holds files of train; DataError where there is none, ending in ``advice``."""
    if not root.is_dir():
        raise DataError(f"there is no folder {root.absolute()}: {advice}")
    if split_files(root, "train"):
        return root
    inside = [path for path in sorted(root.iterdir()) if path.is_dir() and split_files(path, "train")]
    hint = f"they are in {inside[0]}: set data.root={inside[0]}" if inside else advice
    raise DataError(f"no ply_data_train*.h5 in {root.absolute()}: {hint}")


def count_clouds(root: Path) -> dict[str, int]:
    """Clouds of each split that has files, by their headers alone."""
    return count_files({split: split_files(root, split) for split in ("train", "test")})


def count_files(files: Mapping[str, Sequence[Path]]) -> dict[str, int]:
    """Clouds in the files of each split that has some, by their headers alone."""
    return {split: sum(map(_count, paths)) for split, paths in files.items() if paths}


@reader(DataError, "a file of point clouds", "fetch it again")
def _count(path: Path) -> int:
    with open_hdf5(path) as file:
        return len(dataset(file, "data"))


def read_names(root: Path) -> tuple[str, ...]:
    """Class names by label.

    Raises:
        DataError: the file is missing, empty, no UTF-8, names a class twice, or holds characters that are not seen.
    """
    path = root / NAMES
    if not path.is_file():
        raise DataError(f"{path} is missing: it names the classes, one a line, the line number (from 0) is the label")
    return _names(path)


@reader(DataError, "a list of class names in UTF-8", "write it again, one name a line")
def _names(path: Path) -> tuple[str, ...]:
    names = tuple(name.strip() for name in path.read_text(encoding="utf-8-sig").rstrip().split("\n"))
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice or "" in names:
        raise DataError(f"{path} must hold one distinct class name a line; empty or repeated: {twice or 'a line'}")
    if odd := [name for name in names if line(name) != name]:
        raise DataError(f"{path} has the name {odd[0]!r:.80} with characters that are not seen; remove them")
    return names


def read_split(root: Path, split: str, names: Sequence[str], kinds: Sequence[str] = ()) -> Clouds:
    """All clouds of a split, checked.

    Raises:
        DataError: no such files, or as ``read_clouds``.
    """
    files = split_files(root, split)
    if not files:
        raise DataError(f"no ply_data_{split}*.h5 in {root}")
    return read_clouds(files, names, kinds)


def read_clouds(files: Sequence[Path], names: Sequence[str], kinds: Sequence[str] = (), naming: str = NAMES) -> Clouds:
    """All clouds of some HDF5 files of one folder, checked.

    Args:
        files: at least one.
        names: class names by label.
        kinds: features to read as well; those that no file holds are passed over.
        naming: what names the classes, in messages.

    Raises:
        DataError: a file that is corrupt, lacks a key, has another shape, a label without a name, or a number that is
            not finite; the message names the file and the row.
    """
    parts = [_read_file(path, names, in_files(kinds), naming) for path in files]
    sizes = {part.points.shape[1] for part in parts}
    if len(sizes) > 1:
        listed = ", ".join(f"{path.name}: {part.points.shape[1]}" for path, part in zip(files, parts))
        raise DataError(f"all clouds of a split must have the same number of points, {files[0].parent} has {listed}")
    points, labels = (torch.cat([getattr(part, name) for part in parts]) for name in ("points", "labels"))
    features = [part.features for part in parts if part.features is not None]
    return Clouds(points, labels, torch.cat(features) if features else None)


@reader(DataError, "a file of point clouds", "fetch it again")
def _read_file(path: Path, names: Sequence[str], kinds: Sequence[str], naming: str) -> Clouds:
    with open_hdf5(path) as file:
        data, label = (dataset(file, key) for key in ("data", "label"))
        points = _points(path, values(data, "f"))
        labels = _labels(path, values(label, "iuf"), len(points), len(names), naming)
        return Clouds(points, labels, stored_features(path, file, points.shape[:2], kinds))


def _points(path: Path, data: np.ndarray) -> Tensor:
    if data.ndim != 3 or data.shape[2] != 3 or 0 in data.shape:
        last = "; the coordinates come last: data.transpose(0, 2, 1)" if data.ndim == 3 and data.shape[1] == 3 else ""
        raise DataError(
            f"{path}: 'data' must be floating point (clouds, points, 3), it is {data.dtype} {data.shape}{last}"
        )
    with np.errstate(over="ignore"):
        single = data.astype(np.float32, copy=False)
    if not (finite := np.isfinite(single)).all():
        row, point, _ = np.argwhere(~finite)[0]
        raise DataError(
            f"{path}, row {row}, point {point} is {data[row, point].tolist()}: coordinates must be finite; "
            "remove or repair that cloud"
        )
    return torch.from_numpy(single)


def _labels(path: Path, label: np.ndarray, clouds: int, classes: int, naming: str) -> Tensor:
    if label.shape not in ((clouds,), (clouds, 1)):
        raise DataError(
            f"{path}: 'label' must be ({clouds},) or ({clouds}, 1) for {clouds} clouds, it is {label.shape}"
        )
    label = label.reshape(-1)
    if not np.array_equal(label, np.trunc(label)):
        raise DataError(f"{path}: 'label' must hold whole numbers, it is {label.dtype}, e.g. {label[:3].tolist()}")
    outside = np.flatnonzero((label < 0) | (label >= classes))
    if len(outside):
        row = outside[0]
        raise DataError(
            f"{path}, row {row} has label {label[row]:g}, but {naming} names {classes} classes; correct "
            "the label or add the name"
        )
    return torch.from_numpy(label.astype(np.int64))
