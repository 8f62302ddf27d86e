"""Questions about a room as a whole, as in ScanQA: colour, number, place, neighbours, form."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.random import Generator

from geo_lm4ve.indoor.synthetic.asked import Asked, Template, draw, pairs, rarity
from geo_lm4ve.indoor.synthetic.kinds import KINDS
from geo_lm4ve.indoor.synthetic.plan import Plan, Thing

NEAR, FAR = 0.4, 0.7
"""What is nearer [m] is next to something, what is further is not; nobody is asked about what lies between."""
ASIDE = 0.6
"""What is so much further to the left [m] is left of something."""
CLOSER = 0.6
"""What is so much nearer [m] is closer."""


def ask_room(plan: Plan, count: int, random: Generator) -> list[Asked]:
    """Questions about a room."""
    return draw(plan, TEMPLATES, count, random)


def neighbours(plan: Plan) -> Iterator[tuple[Thing, int, list[int]]]:
    """Things that words can point at, their rows, and the rows of what stands next to each; where that is clear."""
    for thing, row in plan.single.items():
        others = [other for other in plan.standing if other != row]
        between = plan.gaps[row, others]
        if thing.stands and not ((between >= NEAR) & (between <= FAR)).any():
            yield thing, row, [other for other, gap in zip(others, between.tolist()) if gap < NEAR]


def colors(plan: Plan) -> list[Asked]:
    """Of what is the only one of its category."""
    texts = ("What color is the {}?", "What is the color of the {}?")
    return [
        Asked(text.format(thing.name), (thing.color,), (row,))
        for thing, row in plan.single.items() for text in texts
    ]  # fmt: skip


def colors_beside(plan: Plan) -> list[Asked]:
    """Of one of several, which stands next to something."""
    found = []
    for thing, _, near in neighbours(plan):
        names = [plan.things[row].name for row in near]
        for row, name in zip(near, names):
            if names.count(name) == 1 and plan.things[row] not in plan.single:
                text = f"What color is the {name} next to the {thing.name}?"
                found.append(Asked(text, (plan.things[row].color,), (row,)))
    return found


def numbers(plan: Plan) -> list[Asked]:
    """How many there are of what a room may have several of."""
    found = []
    for name, kind in KINDS.items():
        rows = tuple(row for row, thing in enumerate(plan.things) if thing.name == name)
        if kind.plural and rows:
            texts = (f"How many {kind.plural} are in the room?", f"How many {kind.plural} are there?")
            found += [Asked(text, (str(len(rows)),), rows) for text in texts]
    return found


def places(plan: Plan) -> list[Asked]:
    """On what something stands, or what it stands next to."""
    on = [(thing, row, "on", thing.support) for thing, row in plan.single.items() if thing.support >= 0]
    by = [(thing, row, "next to", near[0]) for thing, row, near in neighbours(plan) if len(near) == 1]
    found = []
    for thing, row, where, other in [*on, *by]:
        name = plan.things[other].name
        found.append(Asked(f"Where is the {thing.name}?", (f"{where} the {name}",), (row,), rarity(name)))
    return found


def beside(plan: Plan) -> list[Asked]:
    """What stands next to something: one or two right answers."""
    found = []
    for thing, _, near in neighbours(plan):
        if 1 <= len(near) <= 2:
            names = tuple(dict.fromkeys(plan.things[row].name for row in near))
            found.append(Asked(f"What is next to the {thing.name}?", names, tuple(near), rarity(names[0])))
    return found


def on_top(plan: Plan) -> list[Asked]:
    """What stands on something."""
    found = []
    for thing, row in plan.single.items():
        above = [place for place, one in enumerate(plan.things) if one.support == row]
        if len(above) == 1:
            found.append(Asked(f"What is on the {thing.name}?", (plan.things[above[0]].name,), (above[0],)))
    return found


def forms(plan: Plan) -> list[Asked]:
    """Of the only table, and of all chairs."""
    tables = [(thing, row) for thing, row in plan.single.items() if thing.name == "table"]
    found = [Asked("What shape is the table?", (table.form,), (row,)) for table, row in tables]
    if chairs := tuple(row for row, thing in enumerate(plan.things) if thing.name == "chair"):
        found.append(Asked("What kind of chairs are in the room?", (plan.things[chairs[0]].form,), chairs))
    return found


def sides(plan: Plan) -> list[Asked]:
    """Which of two is further to the left for someone who comes in."""
    ahead, found = _door(plan).facing, []
    for one, row, other, _ in _pairs(plan):
        left = float((one.center - other.center)[:2] @ (-ahead[1], ahead[0]))
        if abs(left) > ASIDE:
            text = f"Looking into the room from the door, is the {one.name} left or right of the {other.name}?"
            found.append(Asked(text, ("left" if left > 0 else "right",), (row,)))
    return found


def nearest_door(plan: Plan) -> list[Asked]:
    """Which of two is closer to the door."""
    distances, found = plan.distances(_door(plan).center[None, :2])[0], []
    for one, row, other, other_row in _pairs(plan):
        if abs(distances[row] - distances[other_row]) > CLOSER:
            nearest = int(min(row, other_row, key=lambda place: distances[place]))
            name = plan.things[nearest].name
            text = f"Is the {one.name} or the {other.name} closer to the door?"
            found.append(Asked(text, (name,), (nearest,), rarity(name)))
    return found


def presence(plan: Plan) -> list[Asked]:
    """Whether there is one of what every other room has."""
    there, found = {thing.name: row for thing, row in plan.single.items()}, []
    for name in (name for name, kind in KINDS.items() if kind.counts == (0, 1)):
        answer, rows = ("yes", (there[name],)) if name in there else ("no", ())
        found.append(Asked(f"Is there a {name} in the room?", (answer,), rows))
    return found


def _door(plan: Plan) -> Thing:
    (door,) = plan.named("door")
    return door


def _pairs(plan: Plan) -> list[tuple[Thing, int, Thing, int]]:
    """Things that stand on the floor and are the only ones of their category, with their rows."""
    rows = [(thing, row) for thing, row in plan.single.items() if thing.stands]
    return [(*one, *other) for one, other in pairs(rows)]


TEMPLATES: dict[Template[Plan], float] = {
    colors: 3, colors_beside: 2, numbers: 2, places: 2, beside: 2, on_top: 1, forms: 1, sides: 1, nearest_door: 1,
    presence: 1,
}  # fmt: skip
"""Template -> how often it is drawn."""
