"""What the bytes of an image file say before they are decoded: the kind, what else they are, what of them is needed.

What only describes an image (EXIF, colour profiles, comments, previews, frames after the first) is left out before
Pillow sees it: it changes no pixel, is damaged in many photographs, and Pillow warns about that.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_KINDS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("BMP", re.compile(rb"BM")),
    ("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("PPM", re.compile(rb"P[1-6]\s")),
)
"""Kinds by the names that Pillow has for them, and how files of each begin."""

_OTHERS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("an empty file", re.compile(rb"\Z")),
    ("a HEIC photograph", re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL)),
    ("an AVIF image", re.compile(rb"....ftypavi", re.DOTALL)),
    ("a video", re.compile(rb"....ftyp|RIFF....AVI |\x1aE\xdf\xa3", re.DOTALL)),
    ("a JPEG XL image", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ")),
    ("a JPEG 2000 image", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51")),
    ("a web page (HTML), perhaps an error message", re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)),
    ("a drawing (SVG)", re.compile(rb"\s*<(svg|[?!].*<svg)", re.DOTALL)),
    ("a Photoshop document", re.compile(rb"8BPS")),
    ("a PDF", re.compile(rb"%PDF")),
    ("a pointer of Git LFS, not the file itself", re.compile(rb"version https://git-lfs")),
    ("a zip archive", re.compile(rb"PK[\3\5]")),
    ("compressed by gzip", re.compile(rb"\x1f\x8b")),
)
"""What is met under the name of an image, besides."""

_HEAD = 4096
_JPEG_NEEDED = (*range(0xC0, 0xE0), 0xEE)
"""Segments that decoding needs: tables, frames, Adobe's colours; JFIF's tells them as well, by being there."""
_PNG_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def kind_of(content: bytes) -> str:
    """The kind of an image; ValueError says what the bytes are instead."""
    head = content[:_HEAD]
    for kind, begins in _KINDS:
        if begins.match(head):
            return kind
    other = next((what for what, begins in _OTHERS if begins.match(head)), "of no kind that is known here")
    raise ValueError(f"it is {other}; {', '.join(kind for kind, _ in _KINDS)} are read")


def needed(kind: str, content: bytes) -> bytes:
    """The bytes of a file of that kind which say what its pixels are."""
    if kind == "JPEG":
        return b"".join(_jpeg(content))
    return b"".join(_png(content)) if kind == "PNG" else content


def _jpeg(content: bytes) -> Iterator[bytes]:
    """The segments before the first scan that are needed, then the rest."""
    yield content[:2]
    place = 2
    while (start := content.find(b"\xff", place)) >= 0 and start + 4 <= len(content):
        marker, place = content[start + 1], start + 2
        if marker == 0xDA:
            yield content[start:]
            return
        if marker in (0x00, 0x01, *range(0xD0, 0xDA), 0xFF):  # stand alone, or fill
            place = start + 1 if marker == 0xFF else place
            continue
        place = start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4], "big"))
        if marker in _JPEG_NEEDED or content[start + 4 : start + 9] == b"JFIF\0":
            yield content[start:place]


def _png(content: bytes) -> Iterator[bytes]:
    yield content[:8]
    place = 8
    while place + 8 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] in _PNG_NEEDED:
            yield content[place:end]
        place = end


def webp_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP file declares, for which its decoder takes memory at once; None: it has none."""
    kind, body = content[12:16], content[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<2H", body[6:10])
    return width & 0x3FFF, height & 0x3FFF
