"""The tensors of a remote ``torch.save`` file (``.bin``): a zip of stored entries, so they too are byte ranges."""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
from typing import Any

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.pickle_index import PickledTensor, pickled_tensors
from geo_lm4ve.blocks.sources.remote_file import RemoteFile
from geo_lm4ve.blocks.sources.span import Span

_LOCAL_HEADER = 30  # bytes before an entry's name; the name's and the extra field's lengths are its last four


class _Seekable(io.RawIOBase):
    """A remote file as a seekable stream, for zipfile to find its directory in."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        if base + offset < 0:
            raise OSError("seek before the start of the file")  # what zipfile expects of a file that is too short
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._file.size)
        data = self._file.read(min(self._at, stop), stop)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def pickled_spans(file: RemoteFile) -> dict[str, Span]:
    """From tensor name to its place in a remote .bin, at the cost of the zip's directory and one small pickle.

    Raises:
        BlockError: the file is no zip (written by torch before 1.6, or cut short), or its pickle is not plain.
    """
    try:
        with zipfile.ZipFile(io.BufferedReader(_Seekable(file), 1 << 14)) as archive:
            return _spans(archive, file)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise BlockError(
            f"{file.place} is no zip of torch's ({error}): written before torch 1.6, or cut short. It cannot be read "
            f"in part; download it ({file.size / 1e9:.1f} GB) and use dir:FOLDER"
        ) from error


def _spans(archive: zipfile.ZipFile, file: RemoteFile) -> dict[str, Span]:
    entries = {info.filename: info for info in archive.infolist()}
    pickles = [name for name in entries if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise BlockError(f"{file.place} has {len(pickles)} entries data.pkl instead of one; was torch.save used?")
    root = pickles[0].removesuffix("data.pkl")
    if f"{root}byteorder" in entries and archive.read(f"{root}byteorder") != b"little":
        raise BlockError(f"{file.place} was written on a big-endian machine; convert it to safetensors there")
    starts = [*sorted(info.header_offset for info in entries.values()), archive.start_dir]
    ends = dict(itertools.pairwise(starts))
    tensors = pickled_tensors(archive.read(pickles[0]), file.place)
    return {name: _span(tensor, entries, root, ends, file) for name, tensor in tensors.items()}


def _span(
    tensor: PickledTensor, entries: dict[str, zipfile.ZipInfo], root: str, ends: dict[int, int], file: RemoteFile
) -> Span:
    info = entries.get(f"{root}data/{tensor.entry}")
    if info is None or info.compress_type != zipfile.ZIP_STORED:
        raise BlockError(
            f"{file.place} lacks entry data/{tensor.entry}, or has it compressed; fetch or convert it anew"
        )

    def payload(block: memoryview) -> int:
        name, extra = struct.unpack_from("<HH", block, _LOCAL_HEADER - 4)
        return _LOCAL_HEADER + name + extra + tensor.offset

    return Span(info.header_offset, ends[info.header_offset], tensor.dtype, tensor.shape, payload)
