"""What a generated room may hold: by ScanNet's raw category, how it is built, where it stands and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from numpy.random import Generator

from geo_lm4ve.geometry.solids.mesh import Mesh
from geo_lm4ve.indoor.synthetic import shapes, small

Build = Callable[[Generator], Mesh]


@dataclass(frozen=True)
class Kind:
    """One category.

    Attributes:
        nyu40: its class there.
        nyu40_name: of that class.
        place: ``wall``: stands with its back to one; ``free``: stands anywhere; ``hung``: on a wall; ``top``: on
            furniture that ``holds``.
        forms: what people call its form -> how it is built; "" where nobody has a word for it.
        counts: how many a room has, each number as likely as the others.
        holds: things can stand on it.
        height: how far above the floor it hangs [m], at least and at most.
        plural: of the name.
    """

    nyu40: int
    nyu40_name: str
    place: str
    forms: Mapping[str, Build]
    counts: tuple[int, ...] = (0, 1)
    holds: bool = False
    height: tuple[float, float] = (0.0, 0.0)
    plural: str = ""

    @property
    def mean_count(self) -> float:
        """How many a room has on average."""
        return sum(self.counts) / len(self.counts)


TABLES = {"round": shapes.round_table, "square": shapes.square_table, "rectangular": shapes.rectangular_table}
CHAIRS = {
    "dining chairs": shapes.dining_chair, "office chairs": shapes.office_chair, "armchairs": shapes.armchair,
}  # fmt: skip
"""All chairs of a room have one form."""

KINDS = {
    "bed": Kind(4, "bed", "wall", {"": shapes.bed}),
    "sofa": Kind(6, "sofa", "wall", {"": shapes.sofa}),
    "counter": Kind(12, "counter", "wall", {"": shapes.counter}, holds=True),
    "bathtub": Kind(36, "bathtub", "wall", {"": shapes.bathtub}),
    "desk": Kind(14, "desk", "wall", {"": shapes.desk}, holds=True),
    "cabinet": Kind(3, "cabinet", "wall", {"": shapes.cabinet}, holds=True),
    "bookshelf": Kind(10, "bookshelf", "wall", {"": shapes.bookshelf}),
    "refrigerator": Kind(24, "refrigerator", "wall", {"": shapes.refrigerator}),
    "toilet": Kind(33, "toilet", "wall", {"": shapes.toilet}),
    "sink": Kind(34, "sink", "wall", {"": shapes.sink}),
    "table": Kind(7, "table", "free", TABLES, (0, 1, 2, 3), holds=True, plural="tables"),
    "chair": Kind(5, "chair", "free", CHAIRS, (0, 1, 2, 3, 4), plural="chairs"),
    "trash can": Kind(39, "otherfurniture", "free", {"": small.trash_can}),
    "box": Kind(29, "box", "free", {"": small.carton}, (0, 1, 2, 3), plural="boxes"),
    "lamp": Kind(35, "lamp", "top", {"": small.lamp}),
    "television": Kind(25, "television", "top", {"": small.television}),
    "bag": Kind(37, "bag", "top", {"": small.bag}),
    "vase": Kind(40, "otherprop", "top", {"": small.vase}),
    "door": Kind(8, "door", "hung", {"": small.door}, (1,)),
    "window": Kind(9, "window", "hung", {"": small.window}, (0, 1, 2, 3), height=(0.9, 1.0), plural="windows"),
    "curtain": Kind(16, "curtain", "hung", {"": small.curtain}, height=(0.1, 0.3)),
    "picture": Kind(11, "picture", "hung", {"": small.picture}, (0, 1, 2, 3, 4), height=(1.3, 1.6), plural="pictures"),
}
"""Raw category -> kind. Large ones come first: they are placed in this order."""

SHELL = {"wall": 1, "floor": 2}
"""Raw category of what every room has -> class of NYU40."""
