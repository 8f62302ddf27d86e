"""Answered questions in their rooms: a sheet of pictures, and a page with scenes to turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.indoor.poses import aligned_pose, are_placeholders
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.stored.questions import Layout
from geo_lm4ve.indoor.viz.asked import Asked
from geo_lm4ve.indoor.viz.html import rooms_html
from geo_lm4ve.indoor.viz.png import rooms_png

SAID = 5
"""Answers that are shown to a question."""
PAGE, SHEET = "rooms.html", "rooms.png"
_LINK = f'<p><a href="{PAGE}">{PAGE}</a>: {{rooms}} rooms to turn, with {{questions}} questions.</p>'


def asked_of(record: Mapping[str, Any], question: Question, room: Room, layout: Layout, **more: Any) -> Asked:
    """One record as pictures show it.

    Args:
        record: of ``indoor/ask/records.py``.
        question: its question.
        room: what it is about.
        layout: tells types of questions apart; the asker is drawn where they stand, unless that is a placeholder.
        more: fields of ``Asked``.
    """
    rows = [row for row, one in enumerate(room.ids.tolist()) if one in question.object_ids[:1]]
    return Asked(
        question.scene,
        question.text,
        question.situation,
        [(answer, float(share)) for answer, share in record["top"][:SAID]],
        question.answers,
        record.get("right"),
        record.get("box"),
        room.boxes[rows[0]].tolist() if rows else None,
        record.get("overlap"),
        None if are_placeholders([question]) else aligned_pose(question.pose, room).tolist(),
        question.id,
        layout.type_of(question.text),
        **more,
    )


def exhibit(
    folder: Path, asked: Sequence[Asked], room_of: Callable[[str], Room], title: str, *, synthetic: bool
) -> tuple[str, str]:
    """Write ``rooms.png`` and ``rooms.html``; returns heading and HTML for the report."""
    by_room: dict[str, list[Asked]] = {}
    for one in asked:
        by_room.setdefault(one.scan, []).append(one)
    rooms = [room_of(scan) for scan in by_room]
    shown = [_one(own, right=place % 2 == 0) for place, own in enumerate(by_room.values())]
    note = "right and wrong answers by turns, as far as a room has them: not as often as they occur"
    rooms_png(folder / SHEET, rooms, shown, title, note=note, synthetic=synthetic)
    rooms_html(folder / PAGE, rooms, asked, title, synthetic=synthetic)
    return "Rooms", _LINK.format(rooms=len(rooms), questions=len(asked))


def _one(asked: Sequence[Asked], *, right: bool) -> Asked:
    return next((one for one in asked if one.right is right), asked[0])
