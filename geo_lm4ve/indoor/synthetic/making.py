"""Folders of made-up rooms: the files in the official layouts, and beside them what is prepared of these.

raw/              scans, questions, names and the table of categories (``write.write_rooms``)
scanqa/, sqa3d/   prepared, as ``data=scanqa`` and ``data=sqa3d`` read them
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from geo_lm4ve.data.generated import Generated
from geo_lm4ve.data.manifest import MANIFEST, data_manifest
from geo_lm4ve.files import remove
from geo_lm4ve.indoor.scannet.build import build, recipe_of
from geo_lm4ve.indoor.scannet.labels import read_label_map
from geo_lm4ve.indoor.scannet.making import Recipe
from geo_lm4ve.indoor.stored.questions import LAYOUTS, Layout, find_questions
from geo_lm4ve.indoor.synthetic.rooms import RoomsRecipe
from geo_lm4ve.indoor.synthetic.scan_files import LABELS
from geo_lm4ve.indoor.synthetic.write import QUESTIONS, SCANS, SOURCE, write_rooms

RAW = "raw"


def generated(recipe: RoomsRecipe) -> Generated:
    """What ``raw`` holds."""
    return Generated(SOURCE, asdict(recipe), recipe.counts, "data=scanqa")


def prepare_rooms(root: Path, recipe: RoomsRecipe, layout: Layout, workers: int = 0) -> None:
    """Have the questions of one layout prepared in ``root``; what is there stays.

    Args:
        root: folder of the made-up rooms.
        recipe: what determines them.
        layout: whose questions.
        workers: processes.

    Raises:
        DataError: ``root`` holds rooms of another recipe, or anything else.
    """
    raw = root / RAW
    generated(recipe).look(raw)
    if not (raw / MANIFEST).is_file():
        _outdated(root)
    generated(recipe).into(raw, lambda: write_rooms(raw, recipe))
    if not data_manifest(root / layout.name).counts:
        asked, labels = find_questions(layout, raw / QUESTIONS), read_label_map(raw / LABELS)
        how = Recipe(labels, recipe.vertices)
        build(root / layout.name, asked, raw / SCANS, how, workers=workers, synthetic=True, source=SOURCE)


def _outdated(root: Path) -> None:
    """What was prepared of rooms that are gone is not whole."""
    for layout in LAYOUTS.values():
        if recipe_of(root / layout.name) is not None:
            remove(root / layout.name / MANIFEST)
