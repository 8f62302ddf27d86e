r"""Words from outside (class and file names, scene ids, error texts) made fit for what they are put into.

One helper for each place: ``line``, ``lines`` and ``marked`` for terminals, ``unfit`` and ``component`` for paths,
``html`` for text and attributes of a page, ``script`` for JSON inside one, ``short`` for pictures. What a character
would do rather than show is spelt out everywhere in the same way: an escape character is the four letters ``\x1b``.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

COMPONENT_BYTES = 255
"""Longest name of a file or folder on the usual file systems."""
_ACTING = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of what acts: controls, formats (writing direction), lone surrogates, line separators."""
_JOINERS = "\u200c\u200d"
"""Formats that belong to the spelling of words in Persian and Indic scripts, and to emoji."""
_SHARES = re.compile(r"~[0-9a-f]{16}$")
"""The end of a name that ``component`` made."""


def line(text: object) -> str:
    r"""The text on one line; every character that acts instead of showing is spelt out (``\n``, ``\u202e``)."""
    text = str(text)
    return text if text.isprintable() else "".join(_spelt(one) if _acts(one) else one for one in text)


def lines(text: object) -> str:
    """``line`` for texts that may have several: their line breaks and tabs stay."""
    return re.sub(r"[^\n\t]+", lambda match: line(match[0]), str(text))


def _acts(one: str) -> bool:
    noncharacter = ord(one) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(one) <= 0xFDEF
    return noncharacter or (unicodedata.category(one) in _ACTING and one not in _JOINERS)


def _spelt(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


def failure(error: BaseException) -> str:
    """What a command prints when an error ends it: the message and its notes."""
    return "\n".join(map(lines, (f"error: {error}", *getattr(error, "__notes__", ()))))


def unknown(what: str, value: str, known: Iterable[str]) -> str:
    """The text of an error about an unknown name: the nearest known ones first, then all."""
    names = sorted(known)
    near = difflib.get_close_matches(value, names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {what} {value!r}{hint}; known: {', '.join(names)}"


def marked(*parts: object) -> Text:
    """Text for rich that shows as it is: no markup, no emoji codes, nothing that acts.

    Args:
        parts: one after the other; each is a text, or a pair of a text and rich's style for it.
    """
    from rich.text import Text  # --help does without it

    styled = (part if isinstance(part, tuple) else (part, "") for part in parts)
    return Text.assemble(*((line(text), style) for text, style in styled))


def unfit(name: str) -> str | None:
    """Why a text cannot name one file or folder (read on from the name); None if it can."""
    if name in ("", ".", ".."):
        return "is empty" if not name else "means a folder that is there already"
    if found := next((one for one in name if one in "/\\" or _acts(one)), None):
        return f"holds {found!r}"
    if name.startswith("-"):
        return "starts with '-', as options of commands do"
    if name != name.strip():
        return "starts or ends with a space"
    if (size := len(os.fsencode(name))) > COMPONENT_BYTES:
        return f"has {size} bytes, file systems take {COMPONENT_BYTES}"
    return None


def component(name: str) -> str:
    """One component of a path: the name if it can be one, else what can be kept of it and a hash.

    Different names give different components.
    """
    if unfit(name) is None and not _SHARES.search(name):
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
    kept = re.sub(r"^[\s.-]+", "", "".join("_" if one in "/\\" or _acts(one) else one for one in name))
    room = COMPONENT_BYTES - len(digest) - 1
    return f"{kept.encode()[:room].decode(errors='ignore')}~{digest}"


def html(text: object) -> str:
    """Text or a quoted attribute of an HTML page; what HTML may not hold, and what turns lines around, is spelt out."""
    return escape(lines(text), quote=True)


def script(json_text: str) -> str:
    """JSON for a ``<script>`` element: the same value, without a character that could end the element or its line."""
    return re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", json_text)


def short(text: object, room: int) -> str:
    """``line`` of the text; of more than ``room`` characters the middle is left out and said to be (``…``)."""
    text = line(text)
    tail = room // 3
    return text if len(text) <= room else f"{text[: room - tail - 1]}…{text[len(text) - tail :]}"
