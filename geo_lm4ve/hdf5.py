"""Datasets of HDF5 files from outside: nothing is read from elsewhere, and no more memory is asked for than they store.

A few hundred bytes of HDF5 may declare terabytes: chunks that were never written are filled in, chunks of zeros deflate
to nothing, a dataset may lie in another file. Call all of this inside a guard (``reading.py``): faults are ValueErrors.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_lm4ve.reading import check_bytes

if TYPE_CHECKING:
    import h5py

DEFLATE = 1032.0
"""How many times its size a deflated stream unpacks to at most (zlib's technical details); other filters reach less."""

_CHECKSUM = 4
"""Bytes that Fletcher's checksum adds to a chunk."""

KINDS = {"f": "floating point", "i": "whole numbers", "u": "whole numbers"}
"""NumPy's kinds of numbers in words."""


def open_hdf5(path: Path | str) -> h5py.File:
    """The file, for reading; to be closed by ``with``.

    Raises:
        OSError: it is missing, cut off or no HDF5.
    """
    import h5py

    return h5py.File(path, "r")


def dataset(file: h5py.File, key: str) -> h5py.Dataset:
    """A dataset at the top of the file, whose values lie in this file and are all there; none has been read yet.

    Raises:
        ValueError: there is none, it is a link, its values lie elsewhere, or some were never written.
    """
    import h5py

    link = file.get(key, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):  # following one may open another file
        raise ValueError(f"{key!r} is a link; its values must lie in the file itself, under that name")
    if link is None:
        raise ValueError(f"it has no dataset {key!r}, only {listed(file)}")
    found = file[key]
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{key!r} is a {type(found).__name__.lower()}, not a dataset")
    if found.is_virtual or found.external:
        raise ValueError(f"the values of {key!r} lie in other files; they must lie in the file itself")
    if found.shape is None:
        raise ValueError(f"{key!r} has no shape: it is empty")
    _check_written(found, key)
    return found


def values(found: h5py.Dataset, kinds: str = "fiu") -> np.ndarray:
    """All values of what ``dataset`` gave, in the dtype of the file.

    Args:
        found: the dataset.
        kinds: NumPy's letters of the kinds of numbers that will do, of ``KINDS``.

    Raises:
        ValueError: values of another kind, or more than the file can hold or ``GEO_LM4VE_READ_LIMIT`` allows.
    """
    name = found.name.removeprefix("/")
    if found.dtype.kind not in kinds or found.dtype.subdtype is not None:
        wanted = " or ".join(dict.fromkeys(KINDS[kind] for kind in kinds))
        raise ValueError(f"{name!r} must hold {wanted}, it is {found.dtype} {found.shape}")
    most = max(math.prod(found.shape), math.prod(found.chunks or (1,)))  # one chunk is unpacked at a time, whole
    needed = most * found.dtype.itemsize if math.prod(found.shape) else 0
    ratio = DEFLATE if found.id.get_create_plist().get_nfilters() else 1.0
    check_bytes(needed, repr(name), stored=found.id.get_storage_size(), ratio=ratio)
    read: np.ndarray = np.asarray(found[()])  # a dataset without axes gives a scalar
    return read


def _check_written(found: h5py.Dataset, key: str) -> None:
    """HDF5 makes up values that nobody wrote, and takes the memory that a chunk declares before it looks for it."""
    sizes = _chunk_sizes(found, key) if found.chunks else [found.id.get_storage_size()]
    if sum(sizes) > (size := Path(found.file.filename).stat().st_size):
        raise ValueError(f"{key!r} takes {sum(sizes):,} bytes, the file has {size:,}: it is cut off")
    wanted = math.prod(-(-length // step) for length, step in zip(found.shape, found.chunks or found.shape) if step)
    if math.prod(found.shape) and (there := sum(size > 0 for size in sizes)) < wanted:
        raise ValueError(f"{key!r} {found.shape} was never written whole: {there:,} of {wanted:,} chunks are there")


def _chunk_sizes(found: h5py.Dataset, key: str) -> list[int]:
    """Bytes of every chunk; HDF5 reads past the end of one that is shorter than it takes for granted."""
    import h5py

    properties = found.id.get_create_plist()
    filters = [properties.get_filter(place)[0] for place in range(properties.get_nfilters())]
    whole, sizes, short = math.prod(found.chunks) * found.dtype.itemsize, [], []

    def look(chunk: Any) -> None:
        used = [name for place, name in enumerate(filters) if not chunk.filter_mask >> place & 1]
        checks = _CHECKSUM * used.count(h5py.h5z.FILTER_FLETCHER32)
        packed = set(used) - {h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SHUFFLE}
        if chunk.size < checks or (not packed and chunk.size != whole + checks):
            short.append(chunk.chunk_offset)
        sizes.append(chunk.size)

    found.id.chunk_iter(look)
    if short:
        raise ValueError(f"the chunk of {key!r} at {short[0]} has too few bytes or too many")
    return sizes


def listed(file: h5py.File) -> str:
    """What a file holds, in one short line."""
    names = sorted(file)
    return (", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")) or "nothing"
