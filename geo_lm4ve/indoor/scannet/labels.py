"""From the words of ScanNet's annotators to classes: its label table, or what is known without it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.scannet.nyu40 import NYU40
from geo_lm4ve.reading import reader

TABLE = "scannetv2-labels.combined.tsv"

_SAME: dict[str, tuple[str, ...]] = {
    "wall": ("shower wall", "closet wall"),
    "cabinet": ("kitchen cabinet", "file cabinet", "bathroom cabinet", "bathroom vanity"),
    "chair": ("office chair", "armchair", "sofa chair", "stack of chairs"),
    "sofa": ("couch",),
    "table": ("coffee table", "end table"),
    "door": ("doorframe", "closet door", "bathroom stall door"),
    "counter": ("kitchen counter", "bathroom counter"),
    "shelves": ("shelf",),
    "floor mat": ("mat",),
    "clothes": ("clothing",),
    "books": ("book",),
    "refrigerator": ("mini fridge",),
    "television": ("tv",),
    "box": ("boxes", "mailbox", "mailboxes"),
    "bag": ("paper bag",),
    "night stand": ("nightstand",),
    "otherstructure": (
        "board", "stove", "light", "bathroom stall", "bar", "light switch", "ceiling light", "range hood", "blackboard",
        "rail", "bulletin board", "ledge", "shower", "windowsill", "dishwasher", "stair rail", "stairs", "handicap bar",
        "column", "oven",
    ),
    "otherfurniture": (
        "trash can", "radiator", "recycling bin", "ottoman", "bench", "tv stand", "wardrobe closet", "trash bin",
        "seat", "closet", "ladder", "piano", "water cooler", "stand",
    ),
    "otherprop": (
        "object", "monitor", "backpack", "plant", "toilet paper", "shoes", "keyboard", "bottle", "stool",
        "computer tower", "telephone", "cup", "jacket", "microwave", "paper towel dispenser", "suitcase", "laptop",
        "printer", "soap dispenser", "fan", "tissue box", "blanket", "copier", "soap dish", "laundry hamper",
        "storage bin", "coffee maker", "decoration", "clock", "mouse", "basket", "dumbbell", "bucket", "sign",
        "speaker", "container", "laundry basket", "cart", "dish rack", "bicycle", "tray", "plunger", "paper cutter",
        "bin", "guitar", "fire extinguisher", "pipe", "vacuum cleaner", "plate", "bowl", "scale", "ball", "tube",
    ),
}  # fmt: skip
"""Class -> frequent words that ScanNet's label table maps to it, beside its own name."""


@dataclass(frozen=True)
class LabelMap:
    """Words -> classes of NYU40.

    Attributes:
        source: where they come from, in words.
        classes: word -> class, 1 to 40.
        lenient: capitals and a plural do not matter.
    """

    source: str
    classes: Mapping[str, int] = field(repr=False)
    lenient: bool = False

    def __getitem__(self, label: str) -> int | None:
        """The class of a word; None where nothing maps it."""
        if not self.lenient:
            return self.classes.get(label)
        word = " ".join(label.lower().split())
        return self.classes.get(word) or self.classes.get(word.removesuffix("s"))


def built_in() -> LabelMap:
    """The names of the 40 classes and the frequent words that mean one of them for certain."""
    known = {name: number for number, name in enumerate(NYU40, 1)}
    same = {word: known[name] for name, words in _SAME.items() for word in words}
    return LabelMap("the built-in list", {**known, **same}, lenient=True)


@reader(DataError, f"ScanNet's label table ({TABLE})", "get it again, or leave out --label-map")
def read_label_map(path: Path) -> LabelMap:
    """The columns ``raw_category`` and ``nyu40id`` of ScanNet's label table.

    Raises:
        DataError: it lacks one of them, or has a class that is none.
    """
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), delimiter="\t")
    if lacking := [name for name in ("raw_category", "nyu40id") if name not in (rows.fieldnames or ())]:
        raise ValueError(f"it has no column {' and '.join(lacking)}")
    classes = {}
    for row in rows:
        word, number = row["raw_category"], row["nyu40id"]
        if not word or not number or not number.isascii() or not number.isdecimal() or len(number) > 2:
            raise ValueError(f"line {rows.line_num} maps {word!r:.60} to {number!r:.40}, not to a class of 1 to 40")
        classes[word] = int(number)
        if not 1 <= classes[word] <= len(NYU40):
            raise ValueError(f"line {rows.line_num} maps {word!r:.60} to {number}; classes are 1 to {len(NYU40)}")
    if not classes:
        raise ValueError("it has no row")
    return LabelMap(path.name, classes)
