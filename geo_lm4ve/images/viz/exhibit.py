"""Images of a split with what was predicted for them: a contact sheet and cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.viz.cards import Card, section
from geo_lm4ve.images.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.viz.sheet import predictions


def exhibit(
    folder: Path, records: Sequence[Mapping[str, Any]], data: DataSource, split: str, recipe: Recipe, title: str
) -> tuple[str, str]:
    """Draw ``contact_sheet.png`` of the records of a classification; returns heading and HTML of the cards."""
    shown = cards_of(records, data, split, recipe)
    pictures = [card.image for card in shown]
    synthetic = data.info.synthetic
    contact_sheet_png(folder / "contact_sheet.png", pictures, title=title, synthetic=synthetic, **predictions(shown))
    return section(shown)


def cards_of(records: Sequence[Mapping[str, Any]], data: DataSource, split: str, recipe: Recipe) -> list[Card]:
    """The images of these records as evaluation saw them."""
    wanted = {record["index"]: record for record in records}
    shown = []
    for batch in cast(Iterator[ImageBatch], data.loader(split, batch_size=256, train=False, seed=0).batches(0)):
        for place, index in enumerate(batch.index.tolist()):
            if index in wanted:
                record = wanted[index]
                top = [(name, float(probability)) for name, probability in record["top"]]
                image = recipe.shown(batch.pixels[place])
                shown.append(Card(image, top, record["label"], f"{split} {index}: {batch.names[place]}"))
    return shown
