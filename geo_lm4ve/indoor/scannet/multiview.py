"""Image features that were projected onto the vertices of scans: an HDF5 file with a dataset for each scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.hdf5 import dataset, open_hdf5, values
from geo_lm4ve.indoor.features import KINDS
from geo_lm4ve.reading import reader

_WIDTH = KINDS["multiview"]


def check_multiview(path: Path) -> None:
    """DataError where the file cannot be what is wanted: a pickle, as they were published, or none at all."""
    if path.suffix in (".pkl", ".pickle", ".p"):
        raise DataError(
            f"{path} is a Python pickle, which runs what its writer put into it when it is opened: it is not read. "
            f"Give --multiview an HDF5 file with a dataset (vertices, {_WIDTH}) for each scan, called like it"
        )
    if not path.is_file():
        raise DataError(f"there is no file {path}: --multiview takes an HDF5 file with a dataset for each scan")


@reader(DataError, "an HDF5 file of image features", "make it again, or leave out --multiview")
def read_multiview(path: Path, scan: str, vertices: int) -> Float32[np.ndarray, "v 128"]:
    """The features of all vertices of a scan's mesh, in its order.

    Raises:
        DataError: the file has none of that scan, or not as many as its mesh has vertices.
    """
    with open_hdf5(path) as file:
        found = dataset(file, scan)
        if found.shape != (vertices, _WIDTH):
            raise ValueError(
                f"{scan!r} has the shape {found.shape}; its mesh has {vertices:,} vertices, so ({vertices}, {_WIDTH}) "
                "is wanted, a row for each of them (not for a subset of them)"
            )
        features = values(found, "f").astype(np.float32)
    if not np.isfinite(features).all():
        raise ValueError(f"{scan!r} has numbers that are not finite")
    return features
