"""Ways to spoil HDF5 that keep it well-formed: a dataset of another type, shape, layout or place."""

from __future__ import annotations

import contextlib
import io
import math
import random
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from mutate import BYTES, flip
from seed import Mutator

Write = Callable[[h5py.File, str, np.ndarray, random.Random], None]

_TYPES: tuple[Any, ...] = (
    "f2", ">f8", "f4", "i1", "i8", ">u8", "u1", "c8", "?", "S3", h5py.string_dtype(), h5py.vlen_dtype("f4"),
    np.dtype([("x", "f4"), ("y", "i4")]), h5py.enum_dtype({"a": 0, "b": 1}), np.longdouble, h5py.ref_dtype, "V7",
    np.dtype(("f4", (3,))), h5py.opaque_dtype("M8[s]"),
)  # fmt: skip
_VALUES = (np.nan, np.inf, -np.inf, -1, 0.5, 1e30, 1e300, 2**31, 2**53, 2**62, 255, 0)
_HUGE = (2**20, 2**31, 2**40, 2**62, 2**63 - 1)
_PACKED: tuple[dict[str, Any], ...] = (
    {"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True, "compression": "gzip"}, {"fletcher32": True},
    {"scaleoffset": 3}, {},
)  # fmt: skip


def _type(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """Values of another type, where they can be had in it; else never written."""
    kind = chance.choice(_TYPES)
    try:
        file.create_dataset(key, data=values.astype(kind), dtype=kind)
    except (TypeError, ValueError, OSError, AttributeError):
        if key in file:
            del file[key]
        file.create_dataset(key, values.shape, kind)


def _value(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """Some values are at an edge."""
    values = values.astype(chance.choice((np.float64, values.dtype)), copy=True)
    if values.size:
        spoiled = np.array(chance.choice(_VALUES)).astype(values.dtype)
        values.flat[[chance.randrange(values.size) for _ in range(chance.choice((1, 1, 5)))]] = spoiled
    file[key] = values


def _cut(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """Other lengths and axes: fewer, none, one more, one less, turned, a single number."""
    axis = chance.randrange(values.ndim) if values.ndim else 0
    forms: tuple[Callable[[], Any], ...] = (
        lambda: values.reshape(-1), lambda: values[None], lambda: values[..., None], lambda: values.T,
        lambda: np.take(values, range(chance.randint(0, values.shape[axis])), axis), lambda: values.sum(),
        lambda: np.repeat(values, 2, axis), lambda: values[:0], lambda: h5py.Empty(values.dtype),
    )  # fmt: skip
    file[key] = chance.choice(forms)() if values.ndim else values


def _huge(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """A shape that nothing like it was written of, in chunks of any size."""
    shape = [chance.choice((*values.shape, *_HUGE, 1, 3)) for _ in range(max(values.ndim, 1))]
    most = [min(length, chance.choice((1, 1, 7, 2**16, 2**27))) for length in shape]
    packed = chance.choice(_PACKED)
    dtype = values.dtype if values.dtype.kind in "fiu" else np.float64
    while np.prod([float(length) for length in most]) * dtype.itemsize >= 2**32:
        most[most.index(max(most))] //= 16
    made = file.create_dataset(key, shape, dtype, chunks=tuple(most), maxshape=(None,) * len(shape), **packed)
    if packed and chance.random() < 0.5:
        _spoil_first_chunk(made, chance)


def _spoil_first_chunk(made: h5py.Dataset, chance: random.Random) -> None:
    with contextlib.suppress(OSError):  # it takes no other size where nothing is packed
        made.id.write_direct_chunk((0,) * made.ndim, chance.randbytes(chance.choice((1, 40, 400))))


def _packed(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """The same values in chunks, some of which hold other bytes, or were never written."""
    if not values.size or not values.ndim or values.dtype.kind not in "fiu":
        return _type(file, key, values, chance)
    chunks = tuple(chance.randint(max(1, length // 4), length) for length in values.shape)
    packed = chance.choice(_PACKED)
    made = file.create_dataset(key, data=values, chunks=chunks, **packed)
    if chance.random() < 0.5:
        _spoil_first_chunk(made, chance)
    elif chance.random() < 0.5:
        del file[key]
        file.create_dataset(key, values.shape, values.dtype, chunks=chunks, **packed)[:1] = values[:1]


def _elsewhere(file: h5py.File, key: str, values: np.ndarray, chance: random.Random) -> None:
    """A group, a link, or values in another file; or nothing at all."""
    what = chance.randrange(8)
    if what == 0:
        file.create_group(key)["data"] = values
    elif what == 1:
        file[key] = h5py.SoftLink(chance.choice((f"/{key}", "/nowhere", "/", "/label")))
    elif what == 2:
        file[key] = h5py.ExternalLink(chance.choice(("other.h5", "/etc/passwd", ".", "")) or "x", f"/{key}")
    elif what == 3:
        layout = h5py.VirtualLayout(values.shape or (1,), np.float32)
        layout[...] = h5py.VirtualSource(chance.choice((".", "/etc/passwd", "x.h5")), key, values.shape or (1,))
        file.create_virtual_dataset(key, layout)
    elif what == 4:
        outside = [(chance.choice(("/etc/passwd", "/dev/zero", "x")), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(key, values.shape or (1,), np.float32, external=outside)
    elif what == 5:
        file[key] = np.dtype("f4")  # a named type
    elif what == 6:
        file[chance.choice((key.upper(), f"{key} ", f"x{key}", "ü" * 300))] = values


_WAYS: tuple[Write, ...] = (_type, _value, _value, _cut, _cut, _huge, _huge, _packed, _elsewhere)


def hdf5_dataset(content: bytes, chance: random.Random) -> bytes:
    """One dataset is written again in another way; the others stay."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            held = {key: found[()] for key, found in file.items() if _plain(found)}
    except Exception:  # noqa: BLE001 (a spoiled file provokes any)
        return flip(content, chance)
    if not held:
        return flip(content, chance)
    key = chance.choice(sorted(held))
    return _written(held, key, chance.choice(_WAYS), chance)


def _plain(found: Any) -> bool:
    """Whether an earlier mutation has left a dataset that HDF5 itself reads without harm."""
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external or found.fletcher32:
        return False
    return found.dtype.kind in "fiub" and 0 < found.size < 10**6 and math.prod(found.chunks or (1,)) < 10**6


def _written(held: dict[str, np.ndarray], key: str, way: Write, chance: random.Random) -> bytes:
    with h5py.File("spoiled", "w", driver="core", backing_store=False) as file, np.errstate(all="ignore"):
        for other, values in held.items():
            if other == key:
                way(file, key, values, chance)
            else:
                file[other] = values
        file.flush()
        return bytes(file.id.get_file_image())


HDF5: tuple[Mutator, ...] = (hdf5_dataset,) * 10 + BYTES
