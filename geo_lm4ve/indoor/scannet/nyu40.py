"""The 40 classes of NYU Depth v2 that ScanNet's labels are mapped to, and the 18 classes of detection among them."""

from __future__ import annotations

from geo_lm4ve.indoor.objects import CLASSES, OTHERS

NYU40 = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture", "counter",
    "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat", "clothes", "ceiling", "books",
    "refrigerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard", "person", "night stand",
    "toilet", "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture", "otherprop",
)  # fmt: skip
"""Names by class, which counts from 1."""

UNMAPPED = NYU40.index("otherprop") + 1
"""Class of an object whose label nothing maps: it stays an object, of no particular class."""

_NO_OBJECTS = frozenset(NYU40.index(name) + 1 for name in ("wall", "floor", "ceiling"))


def is_object(number: int) -> bool:
    """Whether a class counts as objects: all but wall, floor and ceiling (VoteNet, ScanRefer, ScanQA)."""
    return 1 <= number <= len(NYU40) and number not in _NO_OBJECTS


def detection_class(number: int) -> int:
    """The label of detection (``objects.CLASSES``) of a class of NYU40; every class without its own is ``others``."""
    name = NYU40[number - 1]
    return CLASSES.index(name) if name in CLASSES else OTHERS
