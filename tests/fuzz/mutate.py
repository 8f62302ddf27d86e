"""Ways to spoil bytes that know nothing of what they mean."""

from __future__ import annotations

import random

from seed import Mutator

NUMBERS = (0, 1, 2, 3, 16, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)
_FEW = 64
_OTHERS = (
    b"", b"\0" * 100, b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x89HDF\r\n\x1a\n", b"PAR1",
    b"GGUF", b"\x93NUMPY", b"<html>Not found</html>", b"version https://git-lfs.github.com/spec/v1\n",
    b"[" * 100_000, b"\x80\x02}r\x00\x00\x00\x10.", b"\x80\x04\x95" + b"\xff" * 8,
)  # fmt: skip


def _place(content: bytes, chance: random.Random) -> int:
    """Half of the time near the front, where headers are."""
    size = len(content) if chance.random() < 0.5 else min(len(content), 512)
    return chance.randrange(size) if size else 0


def flip(content: bytes, chance: random.Random) -> bytes:
    """Some bits are the other way round."""
    spoiled = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8)) if spoiled else 0):
        spoiled[_place(content, chance)] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def overwrite(content: bytes, chance: random.Random) -> bytes:
    """A few bytes are random."""
    start = _place(content, chance)
    piece = chance.randbytes(chance.randint(1, _FEW))
    return content[:start] + piece + content[start + len(piece) :]


def number(content: bytes, chance: random.Random) -> bytes:
    """An integer that is at an edge stands where something else stood."""
    width = chance.choice((1, 2, 4, 8))
    value = chance.choice(NUMBERS) % (1 << 8 * width)
    start = _place(content, chance)
    return content[:start] + value.to_bytes(width, chance.choice(("little", "big"))) + content[start + width :]


def cut(content: bytes, chance: random.Random) -> bytes:
    """The file ends early."""
    return content[: _place(content, chance)]


def without(content: bytes, chance: random.Random) -> bytes:
    """A piece is missing."""
    start = _place(content, chance)
    return content[:start] + content[start + chance.randint(1, max(1, len(content) // 4)) :]


def twice(content: bytes, chance: random.Random) -> bytes:
    """A piece is there again, at another place."""
    start, other = _place(content, chance), _place(content, chance)
    return content[:other] + content[start : start + chance.randint(1, 4 * _FEW)] + content[other:]


def blank(content: bytes, chance: random.Random) -> bytes:
    """A piece was never written: zeros."""
    start = _place(content, chance)
    size = min(chance.choice((8, _FEW, 4096)), len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


def more(content: bytes, chance: random.Random) -> bytes:
    """Something follows."""
    return content + chance.randbytes(chance.randint(1, 4 * _FEW))


def other(content: bytes, chance: random.Random) -> bytes:
    """Another kind of file altogether."""
    return chance.choice((*_OTHERS, b"\xef\xbb\xbf" + content, content[::-1]))


BYTES: tuple[Mutator, ...] = (flip, overwrite, number, number, cut, without, twice, blank, more, other)
