"""Ways to spoil text: lines, numbers and words of csv, XML, YAML, TOML, OFF, PLY …; and the tree of a JSON file."""

from __future__ import annotations

import json
import random
import re
from typing import Any

from mutate import cut, flip, other, twice, without
from seed import Mutator

_NUMBER = re.compile(rb"(?<![\w.])[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?(?![\w.])")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z_0-9]*")
_LONG = 1 << 20
"""Bytes that a line grows to: several mutations of one file must not fill the memory."""
ODD_NUMBERS = (
    "-1", "0", "1", "7", "nan", "-inf", "inf", "1e308", "-1e308", "1e400", "1e-320", "1e12", "0.5", "999999999",
    "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e30", "9" * 30,
    "9" * 5000, "0x10", "1_000", "1,5", "--1", "", "٣", "true", "null", "NaN",
)  # fmt: skip
ODD_WORDS = (
    "", " ", "null", "None", "[/b]", "[red]", "../../x", "/etc/passwd", "<!--<script>", "</script>", "a\0b", "\x1b[31m",
    "é" * 200, "x" * 3000, "ü", "\u202e", "'", '"', "{", "}", "[", "]", "${x}", "!!python/object:os.system", "&a", "*a",
    "%s", "$x$",
)  # fmt: skip


def _replace(pattern: re.Pattern[bytes], by: tuple[str, ...], content: bytes, chance: random.Random) -> bytes:
    places = [match.span() for match in pattern.finditer(content[:200_000])]
    for start, stop in sorted(chance.sample(places, min(len(places), chance.choice((1, 1, 3)))), reverse=True):
        content = content[:start] + chance.choice(by).encode() + content[stop:]
    return content


def odd_number(content: bytes, chance: random.Random) -> bytes:
    """Some numbers are others, or none."""
    return _replace(_NUMBER, ODD_NUMBERS, content, chance)


def odd_word(content: bytes, chance: random.Random) -> bytes:
    """Some words are others."""
    return _replace(_WORD, ODD_WORDS, content, chance)


def swapped_words(content: bytes, chance: random.Random) -> bytes:
    """A word stands where another one of the file stood."""
    words = tuple(word.decode() for word in set(_WORD.findall(content[:50_000])))
    return _replace(_WORD, tuple(sorted(words)) or ("",), content, chance)


def lines(content: bytes, chance: random.Random) -> bytes:
    """A line is missing, there again, elsewhere, empty or very long."""
    pieces = content.split(b"\n")
    at, to = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    line = pieces.pop(at)
    long = line * min(200, 1 + _LONG // (len(line) + 1))
    pieces[to:to] = chance.choice(([], [line], [line, line], [b""], [long], [line + b"," + line], [b"\r" + line]))
    return b"\n".join(pieces)


def coding(content: bytes, chance: random.Random) -> bytes:
    """Another encoding, or bytes that are none."""
    text = content.decode(errors="replace")
    codings = ("utf-16", "utf-32", "latin-1", "utf-8-sig")
    if chance.random() < 0.5:
        return text.encode(chance.choice(codings), errors="replace")
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\xe2\x80\xae")) + content[at:]


def deep(content: bytes, chance: random.Random) -> bytes:
    """Brackets, many of them."""
    at = chance.randrange(len(content) + 1)
    bracket = chance.choice((b"[", b"{", b"(", b'{"a":', b"<a>", b"- ", b"[a."))
    return content[:at] + bracket * chance.choice((10, 1000, 100_000)) + content[at:]


TEXT: tuple[Mutator, ...] = (
    odd_number, odd_number, odd_word, swapped_words, lines, lines, coding, deep, cut, without, twice, flip, other,
)  # fmt: skip

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 1.5, 1e12, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63, 10**30,
    "", "x", "1", "x" * 3000, "../../x", "/etc/passwd", "[/b]", "<!--<script>", "\0", "\ud800", "٣",
    [], [[]], [None], [1, 2], ["a"], {}, {"a": 1}, [0] * 5000, {"": None},
)  # fmt: skip


def tree(content: bytes, chance: random.Random) -> bytes:
    """A value of a JSON tree is another, missing, renamed, there twice, or in a list."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return odd_number(content, chance)
    holder = {"": value}
    _spoil(_somewhere(holder, chance), chance)
    return json.dumps(holder.get("", 0)).encode()


def _somewhere(value: Any, chance: random.Random) -> Any:
    """A container of the tree, deep ones as likely as shallow ones."""
    while True:
        inner = [one for one in (value.values() if isinstance(value, dict) else value) if isinstance(one, dict | list)]
        inner = [one for one in inner if one]
        if not inner or (chance.random() < 0.25 and "" not in value):
            return value
        value = chance.choice(inner[:200])


def _spoil(holder: Any, chance: random.Random) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = chance.choice(keys)
    what = chance.randrange(8)
    if what < 4:
        holder[key] = chance.choice(ODD_VALUES)
    elif what == 4:
        del holder[key]
    elif what == 5:
        holder[key] = chance.choice(([holder[key]], {"a": holder[key]}, str(holder[key])[:1000]))
    elif what == 6 and isinstance(holder, dict):
        holder[chance.choice(ODD_WORDS)] = holder.pop(key)
    else:
        holder[key] = holder[chance.choice(keys)]


def tree_in_lines(content: bytes, chance: random.Random) -> bytes:
    """The same, for one line of a file with a JSON object per line."""
    pieces = content.split(b"\n")
    at = chance.randrange(len(pieces))
    pieces[at] = tree(pieces[at], chance)
    return b"\n".join(pieces)


JSON: tuple[Mutator, ...] = (tree, tree, tree, odd_number, odd_word, coding, deep, cut, without, other)
JSON_LINES: tuple[Mutator, ...] = (tree_in_lines, tree_in_lines, tree_in_lines, *TEXT)
