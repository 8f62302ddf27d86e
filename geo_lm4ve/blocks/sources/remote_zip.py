"""The tensors of a remote ``torch.save`` file (``.bin``): a zip of stored entries, so they too are byte ranges."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.sources.remote_file import RemoteFile
from geo_lm4ve.blocks.sources.span import Span
from geo_lm4ve.reading import reader
from geo_lm4ve.torch_files import LOCAL_HEADER, TensorRef, TorchArchive, torch_archive


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


@reader(BlockError, "a .bin file of plain tensors", "download it, convert it to safetensors and use dir:FOLDER")
def pickled_spans(file: RemoteFile) -> dict[str, Span]:
    """From tensor name to its place in a remote .bin, at the cost of the zip's directory and one small pickle.

    ``torch.load`` under fake tensors gives offsets too, but wrong ones in a zip that another program packed again (it
    adds sizes up, torch 2.13), none below a nested prefix, and in files of older torch at one request per storage.

    Raises:
        BlockError: the file is no zip (written by torch before 1.6, or cut short), or its pickle is not plain.
    """
    try:
        with zipfile.ZipFile(io.BufferedReader(_Seekable(file), 1 << 14)) as archive:
            return _spans(torch_archive(archive), file)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise BlockError(
            f"{file.place} is no zip of torch's ({error}): written before torch 1.6, or cut short. It cannot be read "
            f"in part; download it ({file.size / 1e9:.1f} GB) and use dir:FOLDER"
        ) from error


def _spans(archive: TorchArchive, file: RemoteFile) -> dict[str, Span]:
    if archive.byteorder != b"little":
        raise BlockError(f"{file.place} was written on a big-endian machine; convert it to safetensors there")
    if not isinstance(archive.walk.value, dict):
        kind = type(archive.walk.value).__name__
        raise BlockError(f"{file.place} holds a {kind}, not a dict of tensors; is it a checkpoint?")
    tensors = {str(name): value for name, value in archive.walk.value.items() if isinstance(value, TensorRef)}
    return {name: _span(name, tensor, archive) for name, tensor in tensors.items()}


def _span(name: str, tensor: TensorRef, archive: TorchArchive) -> Span:
    info = archive.entry(tensor.storage)
    if not tensor.contiguous:
        raise ValueError(f"{name} of shape {list(tensor.shape)} is stored with strides {list(tensor.strides)}")
    dtype, stop = tensor.storage.dtype, archive.ends[info.header_offset]

    def payload(block: memoryview) -> int:
        signature, title, extra = struct.unpack_from("<4s22xHH", block)
        begin = LOCAL_HEADER + title + extra
        if signature != b"PK\x03\x04" or begin + info.file_size > stop - info.header_offset:
            raise ValueError(f"entry {info.filename} does not begin where the directory says")
        return begin + tensor.offset * dtype.itemsize

    return Span(info.header_offset, stop, dtype, tensor.shape, payload)
