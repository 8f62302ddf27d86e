"""JSON of other people: a key that occurs twice is refused, where Python would keep the last one without a word."""

from __future__ import annotations

import json
from typing import Any

from geo_lm4ve.reading import Fields


def strict_json(text: str) -> Any:
    """The value of a JSON text; ValueError for anything else. Call it inside a guard."""
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen = set[str]()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice!r} occurs twice as a key of one mapping")
    return values


def rows_of(value: Any, what: str) -> list[Fields]:
    """A list of mappings as fields that say in which row they lie.

    Args:
        value: what should be the list.
        what: a row is, in the message.

    Raises:
        ValueError: it is none, or holds something else.
    """
    if not isinstance(value, list):
        raise ValueError(f"it holds a {type(value).__name__}, not a list of {what}")
    for row, one in enumerate(value):
        if not isinstance(one, dict):
            raise ValueError(f"row {row} is a {type(one).__name__}, not {what}")
    return [Fields(one, f"row {row}: ") for row, one in enumerate(value)]


def text_id(fields: Fields, key: str) -> str:
    """An id as a text, whether the file has a text or a whole number; ValueError for anything else, and for ""."""
    value = fields[key]
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError(f"{fields.prefix}{key} is {value!r:.60}, neither a text nor a whole number")
    return str(value)


def unique_ids(ids: list[str]) -> list[str]:
    """The ids; ValueError with both rows where one occurs twice."""
    first = dict[str, int]()
    for row, one in enumerate(ids):
        if one in first:
            raise ValueError(f"question {one!r} occurs twice, in rows {first[one]} and {row} (counted from 0)")
        first[one] = row
    return ids
