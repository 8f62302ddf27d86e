"""Somebody who looks at the files of a scan, and at nothing else, and answers every template question about it."""

import json
import re
from dataclasses import dataclass

import numpy as np

from geo_lm4ve.indoor.synthetic.palette import COLORS

HUNG = ("door", "window", "curtain", "picture")
SIDES = {"in front of me": "forward", "on my left": "left", "behind me": "behind", "on my right": "right"}
NUMBERS = ("zero", "one", "two", "three", "four")
SINGULAR = {"chairs": "chair", "tables": "table", "boxes": "box", "windows": "window", "pictures": "picture"}


@dataclass
class Seen:
    """An object: what it is called, its points in the aligned frame, their colours."""

    name: str
    points: np.ndarray
    colors: np.ndarray

    def __post_init__(self):
        self.low, self.high = self.points.min(0), self.points.max(0)
        self.center = (self.low + self.high) / 2

    @property
    def color(self):
        return min(COLORS, key=lambda word: np.abs(self.colors.mean(0) - COLORS[word]).sum())

    def gap(self, low, high):
        return np.hypot(*np.maximum(np.maximum(self.low - high, low - self.high)[:2], 0))


def read_ply(path):
    """Vertices, colours, faces of a binary file."""
    content = path.read_bytes()
    head, _, body = content.partition(b"end_header\n")
    count, faces = (int(number) for number in re.findall(rb"element \w+ (\d+)", head))
    vertex = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("alpha", "u1")])
    face = np.dtype([("corners", "u1"), ("rows", "<i4", 3)])
    assert len(body) == count * vertex.itemsize + faces * face.itemsize
    vertices = np.frombuffer(body, vertex, count)
    triangles = np.frombuffer(body, face, faces, count * vertex.itemsize)
    assert (triangles["corners"] == 3).all()
    return vertices["xyz"], vertices["rgb"], triangles["rows"]


class Oracle:
    """The objects of one scan."""

    def __init__(self, folder):
        name = folder.name
        self.raw, colors, self.faces = read_ply(folder / f"{name}_vh_clean_2.ply")
        line = (folder / f"{name}.txt").read_text().splitlines()[0]
        self.alignment = np.array(line.split("=")[1].split(), float).reshape(4, 4)
        points = self.aligned(self.raw)
        segments = np.array(json.loads((folder / f"{name}_vh_clean_2.0.010000.segs.json").read_text())["segIndices"])
        self.groups = json.loads((folder / f"{name}.aggregation.json").read_text())["segGroups"]
        rows = [np.isin(segments, group["segments"]) for group in self.groups]
        seen = [Seen(group["label"], points[row], colors[row]) for group, row in zip(self.groups, rows)]
        self.owners = np.sum(rows, axis=0)
        self.objects = {group["objectId"]: one for group, one in zip(self.groups, seen)}
        self.things = [one for one in seen if one.name not in ("wall", "floor")]

    def aligned(self, points):
        return points @ self.alignment[:3, :3].T + self.alignment[:3, 3]

    def named(self, name):
        return [one for one in self.things if one.name == name]

    def one(self, name):
        (found,) = self.named(name)
        return found

    def floor(self):
        return [one for one in self.things if one.low[2] < 0.05 and one.name not in HUNG]

    def near(self, thing):
        return [one for one in self.floor() if one is not thing and one.gap(thing.low, thing.high) < 0.55]

    def below(self, thing):
        holders = [one for one in self.floor() if abs(one.high[2] - thing.low[2]) < 0.03]
        return [one for one in holders if one.gap(thing.center, thing.center) == 0]

    def form(self, thing):
        x, y, z = thing.high - thing.low
        if thing.name == "chair":
            return "armchairs" if min(x, y) > 0.62 else "office chairs" if z > 1.045 else "dining chairs"
        corner = np.abs(np.abs(thing.points - thing.center)[:, :2] - (x / 2, y / 2)).sum(1).min() < 0.1
        return "rectangular" if max(x, y) / min(x, y) > 1.3 else "square" if corner else "round"

    def answer(self, text):
        """The right answers to a question about the room."""
        for pattern, method in ROOM.items():
            if found := re.fullmatch(pattern, text):
                return {one for one in method(self, *found.groups()) if one}
        raise AssertionError(f"no template for {text!r}")

    def answer_from(self, text, pose):
        """The right answer to a question of somebody in the room."""
        asker = Asker(self, pose)
        for pattern, method in SITUATED.items():
            if found := re.fullmatch(pattern, text):
                return method(asker, *found.groups())
        raise AssertionError(f"no template for {text!r}")

    def coming_in(self, one, other):
        door, inside = (
            self.one("door"),
            np.mean([wall.center for wall in self.objects.values() if wall.name == "wall"], 0),
        )
        thin = int(np.argmin((door.high - door.low)[:2]))
        ahead = np.eye(2)[thin] * np.sign((inside - door.center)[thin])
        way = (self.one(one).center - self.one(other).center)[:2]
        return {"left" if ahead[0] * way[1] - ahead[1] * way[0] > 0 else "right"}

    def nearer(self, *names):
        door = self.one("door").center
        return {min(names, key=lambda name: self.one(name).gap(door, door))}

    def place(self, name):
        thing = self.one(name)
        below = self.below(thing)
        return {f"on the {one.name}" for one in below} or {f"next to the {one.name}" for one in self.near(thing)}


class Asker:
    """Somebody at an SQA3D pose: x, y, z as offset from the centre of the raw scan, quaternion x, y, z, w."""

    def __init__(self, oracle, pose):
        self.oracle = oracle
        center = (oracle.raw.max(0) + oracle.raw.min(0)) / 2
        self.place = oracle.aligned(np.array(pose[:3]) + center)
        x, y, z, w = pose[3:]
        forward = np.array([2 * (y * y + z * z) - 1, -2 * (x * y + z * w), 2 * (y * w - x * z)])  # of -x
        self.ahead = (oracle.alignment[:3, :3] @ forward)[:2]

    def side(self, thing):
        way = (thing.center - self.place)[:2]
        ahead, left = self.ahead @ way, self.ahead[0] * way[1] - self.ahead[1] * way[0]
        return ("forward" if ahead > 0 else "behind") if abs(ahead) > abs(left) else "left" if left > 0 else "right"

    def there(self, things, words):
        return [one for one in things if self.side(one) == SIDES[words]]

    def distance(self, thing):
        return thing.gap(self.place, self.place)

    def closest(self, words):
        return min(self.there(self.oracle.floor(), words), key=self.distance).name

    def color(self, name, words):
        (one,) = self.there(self.oracle.named(name), words)
        return one.color

    def whether(self, name, words):
        return "yes" if self.side(self.oracle.one(name)) == SIDES[words] else "no"

    def number(self, plural, words):
        return NUMBERS[len(self.there(self.oracle.named(SINGULAR[plural]), words))]

    def sees(self, name):
        return "yes" if self.side(self.oracle.one(name)) == "forward" else "no"

    def nearer(self, *names):
        return min(names, key=lambda name: self.distance(self.oracle.one(name)))

    def way(self, name):
        return self.side(self.oracle.one(name))


_SIDE = f"({'|'.join(SIDES)})"
ROOM = {
    r"What color is the (.+) next to the (.+)\?": lambda o, name, by: {
        one.color for one in o.near(o.one(by)) if one.name == name
    },
    r"What (?:color is|is the color of) the (.+)\?": lambda o, name: {o.one(name).color},
    r"How many (.+) are (?:there|in the room)\?": lambda o, plural: {str(len(o.named(SINGULAR[plural])))},
    r"Where is the (.+)\?": Oracle.place,
    r"What is next to the (.+)\?": lambda o, name: {one.name for one in o.near(o.one(name))},
    r"What is on the (.+)\?": lambda o, name: {one.name for one in o.things if o.one(name) in o.below(one)},
    r"What shape is the (table)\?": lambda o, name: {o.form(o.one(name))},
    r"What kind of (chair)s are in the room\?": lambda o, name: {o.form(one) for one in o.named(name)},
    r"Looking into the room from the door, is the (.+) left or right of the (.+)\?": Oracle.coming_in,
    r"Is the (.+) or the (.+) closer to the door\?": Oracle.nearer,
    r"Is there a (.+) in the room\?": lambda o, name: {"yes" if o.named(name) else "no"},
}
SITUATED = {
    rf"What is the closest thing on the floor {_SIDE}\?": Asker.closest,
    rf"What color is the (.+) {_SIDE}\?": Asker.color,
    rf"Is the (.+) {_SIDE}\?": Asker.whether,
    rf"How many (.+) are {_SIDE}\?": Asker.number,
    r"Can I see the (.+) without turning\?": Asker.sees,
    r"Which is closer to me, the (.+) or the (.+)\?": Asker.nearer,
    r"In which direction is the (.+)\?": Asker.way,
    r"Which way should I turn to face the (.+)\?": Asker.way,
}
"""Form of a question -> how it is answered; the first that fits."""
