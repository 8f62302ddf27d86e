"""A glTF 2.0 file, binary (``.glb``) or text (``.gltf``): its tables, and the numbers that its buffers hold.

After the specification of Khronos (glTF 2.0, chapters 3.6 and 4.4). All of it is called inside a guard
(``reading.py``): faults are ValueErrors. A buffer lies in the file itself or in one of the same folder; nothing else
is opened.
"""

from __future__ import annotations

import base64
import errno
import os
import struct
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from jaxtyping import Shaped

from geo_lm4ve.reading import Fields, check_bytes, json_object
from geo_lm4ve.words import short, unfit

_JSON, _BINARY = 0x4E4F534A, 0x004E4942
"""Kinds of chunks."""
_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights_", "KHR_xmp", "EXT_texture_", "KHR_mesh_quantization")
"""What extensions begin with that leave shapes as they are, or that are understood here."""


class Gltf:
    """See the module; ValueError where the file is no glTF 2.0, or needs an extension that changes shapes."""

    def __init__(self, path: Path, content: bytes):
        text, self._chunk = _chunks(content) if content[:4] == b"glTF" else (content, None)
        self.folder, self._whole = path.parent, Fields(json_object(text))
        self._tables: dict[str, list[Fields]] = {}
        self._buffers: dict[int, bytes] = {}
        self._columns: dict[int, Shaped[np.ndarray, "n width"]] = {}
        if not (version := self._whole.fields("asset").text("version")).startswith("2."):
            raise ValueError(f"it is glTF {version}, only glTF 2 is read")
        required = self._whole.texts("extensionsRequired") if "extensionsRequired" in self._whole.values else []
        if needed := [name for name in required if not name.startswith(_HARMLESS)]:
            raise ValueError(f"it needs the extension {needed[0][:80]}, which is not read: export it without")

    @property
    def whole(self) -> Fields:
        """The document."""
        return self._whole

    def rows(self, key: str) -> list[Fields]:
        """A table of the document; empty where it has none."""
        if key not in self._tables:
            self._tables[key] = rows(self._whole, key)
        return self._tables[key]

    def column(self, index: int) -> Shaped[np.ndarray, "n width"]:
        """The numbers of an accessor: whole ones as they are, or all in float64 where they stand for fractions."""
        if index not in self._columns:
            self._columns[index] = self._read(self.rows("accessors")[index])
        return self._columns[index]

    def _read(self, accessor: Fields) -> Shaped[np.ndarray, "n width"]:
        name = accessor.prefix.rstrip(".")
        if "sparse" in accessor.values or "bufferView" not in accessor.values:
            raise ValueError(f"{name} is sparse or compressed, which is not read: export it without")
        code, shape = accessor.whole("componentType"), accessor.text("type")
        if code not in _KINDS or shape not in _WIDTHS:
            raise ValueError(f"{name} holds {shape[:20]} of type {code}, which no shape is made of")
        views, kind, width = self.rows("bufferViews"), np.dtype(_KINDS[code]), _WIDTHS[shape]
        view = views[accessor.whole("bufferView", 0, len(views) - 1)]
        start, length, content = _or_zero(view, "byteOffset"), view.whole("byteLength"), self._content(view)
        check_bytes(start + length, view.prefix.rstrip("."), stored=len(content))
        count, offset, item = accessor.whole("count"), _or_zero(accessor, "byteOffset"), width * kind.itemsize
        stride = view.whole("byteStride", item) if "byteStride" in view.values else item
        check_bytes(offset + (count - 1) * stride + item if count else 0, name, stored=length)
        values = np.ndarray((count, width), kind, content, start + offset if count else 0, (stride, kind.itemsize))
        if not accessor.values.get("normalized"):
            return values
        return values if kind.kind == "f" else np.maximum(values / np.iinfo(kind).max, -1.0)

    def _content(self, view: Fields) -> bytes:
        """The buffer of a view."""
        buffers = self.rows("buffers")
        index = view.whole("buffer", 0, len(buffers) - 1)
        if index not in self._buffers:
            self._buffers[index] = self._buffer(buffers[index], index)
        return self._buffers[index]

    def _buffer(self, buffer: Fields, index: int) -> bytes:
        size, name = buffer.whole("byteLength"), buffer.prefix.rstrip(".")
        if "uri" not in buffer.values:
            if self._chunk is None or index > 0:
                raise ValueError(f"{name} lies nowhere")
            content = self._chunk
        elif (uri := buffer.text("uri")).startswith("data:"):
            content = base64.b64decode(uri.partition(";base64,")[2], validate=True)
        else:
            content = self._beside(uri, size, name)
        check_bytes(size, name, stored=len(content))
        return content

    def _beside(self, uri: str, size: int, name: str) -> bytes:
        """The first bytes of a file in the same folder."""
        if unfit(file := unquote(uri)) is not None:
            raise ValueError(f"{name} lies at {short(uri, 80)!r}, and only files in the same folder are opened")
        path = self.folder / file
        if not path.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        check_bytes(size, name, stored=path.stat().st_size)
        with path.open("rb") as stream:
            return stream.read(size)


def rows(fields: Fields, key: str) -> list[Fields]:
    """A list of mappings, which may be missing."""
    values = fields.values.get(key, [])
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise ValueError(f"{fields.prefix}{key} is not a list of mappings")
    return [Fields(one, f"{fields.prefix}{key}[{row}].") for row, one in enumerate(values)]


def _or_zero(fields: Fields, key: str) -> int:
    return fields.whole(key) if key in fields.values else 0


def _chunks(content: bytes) -> tuple[bytes, bytes | None]:
    """The text of a ``.glb``, and its binary chunk if it has one."""
    if len(content) < 12:
        raise ValueError("its head is cut off")
    version, length = struct.unpack_from("<2I", content, 4)
    if version != 2:
        raise ValueError(f"it is glTF {version}, only glTF 2 is read")
    check_bytes(length, "the file", stored=len(content))
    found: dict[int, bytes] = {}
    start = 12
    while start + 8 <= length:
        size, kind = struct.unpack_from("<2I", content, start)
        check_bytes(size, "a chunk", stored=length - start - 8)
        found.setdefault(kind, content[start + 8 : start + 8 + size])
        start += 8 + size
    if _JSON not in found:
        raise ValueError("it has no chunk of JSON")
    return found[_JSON], found.get(_BINARY)
