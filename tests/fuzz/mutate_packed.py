"""Ways to spoil what lies inside a container, whose own checksums and lengths stay right: faults that go deeper."""

from __future__ import annotations

import io
import random
import struct
import zipfile

from mutate import BYTES, flip
from mutate_text import JSON, tree
from seed import Mutator


def zip_member(content: bytes, chance: random.Random) -> bytes:
    """A member of a zip (what torch.save writes) holds other bytes, is missing, renamed, packed or there twice."""
    members = _members(content)
    if not members:
        return flip(content, chance)
    # The directory and the pickle are worth more attempts than the values of tensors.
    weights = [8 if name.endswith((".pkl", "byteorder", "version")) else 1 for name, _ in members]
    at = chance.choices(range(len(members)), weights)[0]
    name, data = members[at]
    what = chance.randrange(8)
    if what < 5:
        members[at] = (name, chance.choice(BYTES)(data, chance))
    elif what == 5:
        del members[at]
    elif what == 6:
        members[at] = (name + "x", data)
    else:
        members.append((name, data[: len(data) // 2]))
    return _zipped(members, chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))


def _members(content: bytes) -> list[tuple[str, bytes]]:
    """Name and bytes of each; none where an earlier mutation has left no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # noqa: BLE001 (a spoiled zip provokes any)
        return []


def _zipped(members: list[tuple[str, bytes]], method: int) -> bytes:
    target = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members:
            if name not in names:
                archive.writestr(name, data)
            names.add(name)
    return target.getvalue()


def pickled_number(content: bytes, chance: random.Random) -> bytes:
    """A number inside the pickle of a zip is at an edge: shapes, strides, offsets, sizes of storages."""
    members = _members(content)
    pickles = [place for place, (name, _) in enumerate(members) if name.endswith("data.pkl")]
    if not pickles:
        return flip(content, chance)
    at = pickles[0]
    data = members[at][1]
    places = [i for i, byte in enumerate(data) if byte in (0x4B, 0x4D, 0x4A)]  # BININT1, BININT2, BININT
    if places:
        place = chance.choice(places)
        width = {0x4B: 1, 0x4D: 2, 0x4A: 4}[data[place]]
        value = chance.choice((-1, 0, 1, 255, 65535, 2**30, 2**31 - 1))
        members[at] = (members[at][0], data[:place] + b"J" + struct.pack("<i", value) + data[place + 1 + width :])
    return _zipped(members, zipfile.ZIP_STORED)


def safetensors_header(content: bytes, chance: random.Random) -> bytes:
    """The JSON header of a safetensors file says something else; its length is right."""
    if len(content) < 8 or (length := struct.unpack("<Q", content[:8])[0]) > len(content):
        return flip(content, chance)
    spoil = chance.choice((tree, tree, tree, chance.choice(JSON)))
    header = spoil(content[8 : 8 + length], chance)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def glb_text(content: bytes, chance: random.Random) -> bytes:
    """The JSON of a binary glTF file says something else; the lengths of the file and its chunks are right."""
    if len(content) < 20 or (length := struct.unpack_from("<I", content, 12)[0]) > len(content) - 20:
        return flip(content, chance)
    spoil = chance.choice((tree, tree, tree, chance.choice(JSON)))
    text = spoil(content[20 : 20 + length], chance)
    rest = content[16:20] + text + content[20 + length :]
    return content[:8] + struct.pack("<2I", 16 + len(rest), len(text)) + rest


ZIP: tuple[Mutator, ...] = (zip_member, zip_member, pickled_number, *BYTES)
SAFETENSORS: tuple[Mutator, ...] = (safetensors_header, safetensors_header, safetensors_header, *BYTES)
GLB: tuple[Mutator, ...] = (glb_text, glb_text, glb_text, *BYTES)
