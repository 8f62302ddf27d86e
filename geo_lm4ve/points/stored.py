"""Features of points as files hold them: keys of HDF5, columns behind x, y, z, normals of sampled meshes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.geometry.meshes import Cloud, unit_rows
from geo_lm4ve.geometry.vertex_values import COLORS, color_fractions
from geo_lm4ve.hdf5 import dataset, listed, open_hdf5, values
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.features import KINDS, as_list, unit, width
from geo_lm4ve.reading import reader

if TYPE_CHECKING:
    import h5py

KEYS = {"normal": ("normal", "normals"), "color": ("color", "colors", "rgb"), "intensity": ("intensity",)}
"""What HDF5 files call a kind of feature; the first one that is there is read."""


def stored_features(
    path: Path, file: h5py.File, size: Sequence[int], kinds: Sequence[str]
) -> Float[Tensor, "*size c"] | None:
    """Features out of an open HDF5 file, the kinds one after the other; None for no kinds. Call it inside a guard.

    Args:
        path: of the file, for messages.
        file: the file.
        size: clouds and points that its coordinates have, or points alone.
        kinds: of the features.

    Raises:
        DataError: the file lacks a kind, or holds one in another shape or with numbers that cannot be; names the place.
    """
    parts = [_stored(path, file, tuple(size), kind) for kind in kinds]
    return torch.cat(parts, dim=-1) if parts else None


def _stored(path: Path, file: h5py.File, size: tuple[int, ...], kind: str) -> Tensor:
    key = next((key for key in KEYS[kind] if file.get(key, getlink=True) is not None), None)
    if key is None:
        raise DataError(
            f"{path} has no {' or '.join(KEYS[kind])}, only {listed(file)}: leave {kind} out of data.features and "
            f"encoder.features, or write {(*size, KINDS[kind])} numbers into it as {KEYS[kind][0]!r}"
        )
    found = values(dataset(file, key))
    if found.shape == size and KINDS[kind] == 1:
        found = found[..., None]
    if found.shape != (*size, KINDS[kind]):
        raise DataError(f"{path}: {key!r} must be {(*size, KINDS[kind])}, one for every point; it is {found.shape}")
    return sound(path, kind, found)


def sound(path: Path, kind: str, found: np.ndarray) -> Float[Tensor, "*size c"]:
    """Numbers of a file as a feature: float32, normals at length 1, colors in [0, 1].

    Raises:
        DataError: one is not finite, or no color; names the place.
    """
    with np.errstate(over="ignore"):
        single = color_fractions(found) if kind == "color" else found.astype(np.float32)
    good, rule = np.isfinite(single), "it must be finite"
    if kind == "color":
        good &= (single >= 0) & (single <= 1)
        rule = COLORS
    if not good.all():
        *row, point, _ = np.argwhere(~good)[0].tolist()
        place = "".join(f"row {number}, " for number in row)
        raise DataError(f"{path}, {place}point {point} has the {kind} {found[*row, point].tolist()}: {rule}; repair it")
    return unit(torch.from_numpy(single)) if kind == "normal" else torch.from_numpy(single)


@reader(DataError, "features of points", "export it again")
def own_features(path: Path, cloud: Cloud, kinds: Sequence[str]) -> Float[Tensor, "n c"] | None:
    """Features of the cloud in a file of one's own, the kinds one after the other; None for no kinds.

    HDF5 has them under ``KEYS``; tables and arrays as columns behind x, y, z in the order of ``kinds``; a PLY has
    normals and colours of its vertices; any mesh has the normals of its faces.

    Args:
        path: the file.
        cloud: what ``read_points`` made of it with these ``kinds``.
        kinds: those that files hold.

    Raises:
        DataError: the file lacks a kind; says what it has.
    """
    if not kinds:
        return None
    if tuple(kinds) == ("normal",) and cloud.normals is not None:
        return unit(cloud.normals)
    if path.suffix.lower() in (".h5", ".hdf5"):
        with open_hdf5(path) as file:
            size = dataset(file, "data").shape[:-1]  # one cloud may lie inside an axis of length one
            found = stored_features(path, file, size, kinds)
            return None if found is None else found.reshape(len(cloud.points), -1)
    if cloud.columns is not None:
        return _columns(path, cloud.columns, kinds)
    held = {"normal": None if cloud.normals is None else unit(cloud.normals), "color": cloud.colors}
    parts = [part for kind in kinds if (part := held.get(kind)) is not None]
    if len(parts) == len(kinds):
        return torch.cat(parts, dim=-1)
    known = [kind for kind, part in held.items() if part is not None]
    raise DataError(
        f"{path} gives {' and '.join(['coordinates', *known])}, data.features={as_list(kinds)}: store the points with "
        "these features as .h5, .npy or .txt (or as .ply: nx, ny, nz, red, green, blue)"
    )


def _columns(path: Path, columns: np.ndarray, kinds: Sequence[str]) -> Tensor:
    wanted = f"x y z {' '.join(f'{kind} ({KINDS[kind]})' for kind in kinds)}"
    if columns.shape[1] != width(kinds):
        raise DataError(
            f"{path} has {3 + columns.shape[1]} columns, data.features={as_list(kinds)} of the files takes "
            f"{3 + width(kinds)}: {wanted}; write them in this order"
        )
    ends = np.cumsum([KINDS[kind] for kind in kinds])[:-1]
    parts = dict(zip(kinds, np.split(columns, ends, axis=1)))
    if "normal" in parts and not unit_rows(parts["normal"]):
        raise DataError(f"{path}: its columns are {wanted}, but the normals do not have length 1; are they others?")
    return torch.cat([sound(path, kind, part) for kind, part in parts.items()], dim=-1)
