"""One HTML file to look at answers in their scans: a scene to turn, questions to filter; no network needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from geo_lm4ve.files import to_json, write_text
from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz.asked import Asked
from geo_lm4ve.indoor.viz.encoding import POINT_BYTES, encode_asked, encode_room
from geo_lm4ve.viz import choice, listing
from geo_lm4ve.viz.page import asset, page
from geo_lm4ve.words import script

MAX_BYTES = 6_000_000
"""Size limit of a page: it must open at once and go through mail."""
PAGE_BYTES, SCAN_BYTES = 40_000, 200
"""What the page itself takes, without scans and questions, and a scan without its points."""
ASKED_BYTES = 1_500_000
"""What questions take at most; of more, some evenly spaced ones are listed, and it is said."""
POINTS, LEAST_POINTS = 20_000, 3_000
"""Points of each scan at most, and at least (if it has so many): where a page has too little room for that, it is
refused."""


def rooms_html(
    path: Path | str,
    rooms: Sequence[Room],
    asked: Sequence[Asked],
    title: str,
    *,
    note: str = "",
    highlights: Mapping[str, str] | None = None,
    total: int | None = None,
    synthetic: bool = False,
) -> None:
    """Write the page.

    Args:
        path: file to write.
        rooms: the scans; names are unique.
        asked: questions about them, in the order of the list.
        title: heading.
        note: a line under it.
        highlights: the few numbers that matter, as text ("EM@1": "47.2"), set large.
        total: number of questions that these were chosen from.
        synthetic: mark the page as made from generated data.

    Raises:
        ValueError: no scan, two of one name, a question about none of them, a scan that cannot be drawn, or more scans
            than the page has room for.
    """
    places = _places(rooms, asked)
    encoded = [encode_asked(one, places[one.scan]) for one in asked]
    shown = choice.fitting([len(script(to_json(one))) + 2 for one in encoded], ASKED_BYTES)
    rows = [encoded[place] for place in shown]
    limit = points_each(rooms, sum(len(script(to_json(row))) + 2 for row in rows))
    data = script(to_json({"scans": [encode_room(room, limit) for room in rooms], "rows": rows}))
    body = Template(asset("geo_lm4ve.indoor.viz", "rooms.html")).substitute(
        bar=listing.bar(
            [asked[place].right for place in shown],
            [asked[place].type for place in shown],
            "words of question or answer",
        ),
        data=data,
        extent=_extent(rooms, limit, len(rows), total or len(asked), len(data) + PAGE_BYTES),
    )
    text = page(
        title,
        body,
        css=listing.css() + asset("geo_lm4ve.indoor.viz", "rooms.css"),
        js=asset("geo_lm4ve.viz", "turntable.js") + listing.js() + asset("geo_lm4ve.indoor.viz", "rooms.js"),
        note=note,
        highlights=highlights,
        synthetic=synthetic,
    )
    write_text(path, text)


def points_each(rooms: Sequence[Room], taken: int) -> int:
    """Points of each scan that a page has room for.

    Args:
        rooms: scans of the page.
        taken: bytes that its questions take.

    Raises:
        ValueError: fewer than LEAST_POINTS of scans that have more.
    """
    room = MAX_BYTES - PAGE_BYTES - taken
    limit = min(POINTS, int((room / len(rooms) - SCAN_BYTES) / POINT_BYTES))
    if limit < min(LEAST_POINTS, max(map(len, rooms))):
        raise ValueError(
            f"{len(rooms)} scans do not fit into a page of {MAX_BYTES / 1e6:.0f} MB with {LEAST_POINTS:,} points each: "
            f"show at most {int(room / (LEAST_POINTS * POINT_BYTES + SCAN_BYTES))}"
        )
    return limit


def _places(rooms: Sequence[Room], asked: Sequence[Asked]) -> dict[str, int]:
    """Row of each scan by its name."""
    if not rooms:
        raise ValueError("a page needs at least one scan")
    places = {room.name: place for place, room in enumerate(rooms)}
    if len(places) < len(rooms):
        raise ValueError(f"{len(rooms)} scans have {len(places)} names; give each scan once")
    if lost := next((one for one in asked if one.scan not in places), None):
        raise ValueError(f"question {lost.id!r} is about scan {lost.scan!r}, which is not among those of the page")
    return places


def _extent(rooms: Sequence[Room], limit: int, shown: int, total: int, size: int) -> str:
    """What the page holds, in a line."""
    largest = max(map(len, rooms))
    points = f"{limit:,} of up to {largest:,} points each" if largest > limit else f"up to {largest:,} points each"
    questions = f"{shown:,} of {total:,} questions" if total > shown else f"{shown:,} questions"
    return f"{len(rooms):,} scans, {points} · {questions} · {size / 1e6:.1f} MB"
