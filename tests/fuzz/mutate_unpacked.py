"""Ways to spoil archives whose checksums stay right: other names, links, devices, sizes, headers that are missing."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zlib

from mutate import BYTES, NUMBERS, flip
from seed import Mutator

NAMES = (
    "../x", "/tmp/x", "a/../../x", "..", ".", "", "a//b", "C:x", "a\\..\\..\\x", "x\0y", "é" * 120, "d/" * 70 + "x",
    "SET/TRAIN/A.CSV", "set/train", "set/train/a.csv/x", "\udcff", ".unpacking-x", ".unpacked-set.tar", "set/ ", "con",
    "\x1b[31m",
)  # fmt: skip
_BLOCK = 512


def _name(chance: random.Random, room: int) -> bytes:
    return chance.choice(NAMES).encode(errors="surrogateescape")[:room]


def tar_header(content: bytes, chance: random.Random) -> bytes:
    """A field of a tar header is another one; its checksum is right."""
    starts = [at for at in range(0, len(content) - _BLOCK + 1, _BLOCK) if content[at + 257 : at + 262] == b"ustar"]
    if not starts:
        return flip(content, chance)
    at = chance.choice(starts)
    header = bytearray(content[at : at + _BLOCK])
    what = chance.randrange(6)
    if what == 0:
        header[0:100] = _name(chance, 100).ljust(100, b"\0")
    elif what == 1:
        header[156:157] = chance.choice(
            (b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"K", b"L", b"S", b"V", b"g", b"x", b"\0")
        )
    elif what == 2:
        header[157:257] = _name(chance, 100).ljust(100, b"\0")
    elif what == 3:
        header[124:136] = _octal(chance)
    elif what == 4:
        header[136:148] = _octal(chance)
    else:
        header[345:500] = _name(chance, 155).ljust(155, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return content[:at] + bytes(header) + content[at + _BLOCK :]


def _octal(chance: random.Random) -> bytes:
    """A number field: octal digits, base 256, or none."""
    value = chance.choice(NUMBERS)
    return chance.choice(
        (b"%011o\0" % (value % 8**11), b"\x80" + bytes(3) + struct.pack(">Q", value), b"\xff" * 12, b"x" * 12)
    )


def tar_link(content: bytes, chance: random.Random) -> bytes:
    """Links that lead outside, then a file through them."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as file:
        link = tarfile.TarInfo("set/link")
        link.type = chance.choice((tarfile.SYMTYPE, tarfile.LNKTYPE))
        link.linkname = chance.choice(("..", "../..", "/tmp", "train", "set/train/a.csv", "link"))
        file.addfile(link)
        through = tarfile.TarInfo(chance.choice(("set/link/x", "set/link")))
        through.size = 3
        file.addfile(through, io.BytesIO(b"abc"))
    links = target.getvalue()[: 3 * _BLOCK]
    return links + content if chance.random() < 0.5 else content[: -2 * _BLOCK] + links + bytes(2 * _BLOCK)


TAR: tuple[Mutator, ...] = (tar_header, tar_header, tar_header, tar_link)


def inside_gzip(content: bytes, chance: random.Random) -> bytes:
    """What a tar.gz holds is spoiled; gzip's own length and checksum are right."""
    try:
        inner = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return flip(content, chance)
    return gzip.compress(chance.choice((*TAR, *BYTES))(inner, chance), 1, mtime=0)


def much(content: bytes, chance: random.Random) -> bytes:
    """A member of zeros, a thousand times as large as it is packed."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as file:
        member = tarfile.TarInfo("set/zeros")
        member.size = chance.choice((1 << 20, 1 << 27))
        file.addfile(member, io.BytesIO(bytes(member.size)))
    return gzip.compress(target.getvalue(), 1, mtime=0)


TAR_GZ: tuple[Mutator, ...] = (*[inside_gzip] * 60, much)


def zip_record(content: bytes, chance: random.Random) -> bytes:
    """A field of an entry's record, in the directory or before its content, is another one."""
    signs = (b"PK\1\2", b"PK\3\4", b"PK\5\6")
    starts = [at for at in range(len(content) - 4) if content[at : at + 4] in signs]
    if not starts:
        return flip(content, chance)
    at = chance.choice(starts) + chance.choice((4, 6, 8, 10, 14, 18, 20, 22, 24, 26, 28, 30, 36, 38, 42))
    width = chance.choice((2, 4))
    return content[:at] + (chance.choice(NUMBERS) % (1 << 8 * width)).to_bytes(width, "little") + content[at + width :]


def zip_name(content: bytes, chance: random.Random) -> bytes:
    """An entry has another name of the same length, in both places."""
    old = chance.choice((b"set/train/a.csv", b"set/names.txt"))
    return content.replace(old, _name(chance, len(old)).ljust(len(old), chance.choice((b"x", b"/", b".", b" "))))


ZIP_NAMES: tuple[Mutator, ...] = (zip_record, zip_record, zip_record, zip_name)
