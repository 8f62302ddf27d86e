"""Made-up rooms with questions, written in the layouts of ScanNet, ScanQA and SQA3D."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.data.manifest import MANIFEST
from geo_lm4ve.files import write_json, write_text
from geo_lm4ve.indoor.synthetic.question_files import (
    Row,
    scanqa_row,
    sqa3d_rows,
    write_answers,
    write_scanqa,
    write_sqa3d,
)
from geo_lm4ve.indoor.synthetic.rooms import FIRST, MOST, Made, RoomsRecipe, make_room, scan_room
from geo_lm4ve.indoor.synthetic.scan import Scan
from geo_lm4ve.indoor.synthetic.scan_files import LABELS, write_labels, write_scan
from geo_lm4ve.notice import progress

SCANS, QUESTIONS, NAMES = "scans", "qa", "meta_data"
"""Folders of what is written."""
SOURCE = "made-up rooms"
"""What titles of the data say they are made of."""


@dataclass
class _Questions:
    """Of one split, as its files have them."""

    scanqa: list[Row] = field(default_factory=list)
    sqa3d: list[tuple[Row, Row]] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)

    def add(self, split: str, number: int, made: Made, scan: Scan) -> None:
        """Those of one room."""
        first, withheld = (FIRST[split] * MOST + number) * 1000, split == "test"
        self.scans.append(made.name)
        rows = enumerate(made.asked)
        self.scanqa += [scanqa_row(made.name, f"{split}-{made.name}-{row}", one, scan, withheld) for row, one in rows]
        self.sqa3d += [
            sqa3d_rows(made.name, first + row, one, situation, scan)
            for row, (situation, one) in enumerate(made.situated)
        ]

    def write(self, root: Path, split: str) -> None:
        """All files of the split, but scans."""
        name = "test_w_obj" if split == "test" else split
        write_scanqa(root / QUESTIONS / f"ScanQA_v1.0_{name}.json", self.scanqa)
        write_sqa3d(root / QUESTIONS, split, self.sqa3d)
        write_text(root / NAMES / f"scannetv2_{split}.txt", "".join(f"{scan}\n" for scan in self.scans))


def write_rooms(root: Path, recipe: RoomsRecipe) -> None:
    """Everything into ``root``.

    ``scans/NAME/``: the files of ``scan_files.write_scan``. ``qa/``: questions in the layouts of ScanQA and SQA3D, and
    a manifest that says they are made up. ``meta_data/``: names of the scans. Beside them the table of categories.

    Args:
        root: a folder; files in it are written over.
        recipe: what determines them.
    """
    write_labels(root / LABELS)
    write_json(root / QUESTIONS / MANIFEST, {"synthetic": True, "source": SOURCE})
    answers = set[str]()
    for split, count in recipe.counts.items():
        found = _Questions()
        for number in progress(range(count), f"making up {count} rooms ({split})"):
            made = make_room(recipe, split, number)
            scan = scan_room(recipe, split, number, made.plan)
            write_scan(root / SCANS / made.name, made.name, scan)
            found.add(split, number, made, scan)
        if count:
            found.write(root, split)
        answers |= {answer for _, one in found.sqa3d for answer in (one["answers"][0]["answer"],)}
    write_answers(root / QUESTIONS / "answer_dict.json", answers)
