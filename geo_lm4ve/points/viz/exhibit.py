"""Clouds of a split with what was predicted for them: a contact sheet and cards to turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.viz.cards import Card, section
from geo_lm4ve.points.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.viz.sheet import predictions


def exhibit(
    folder: Path, records: Sequence[Mapping[str, Any]], data: DataSource, split: str, title: str
) -> tuple[str, str]:
    """Draw ``contact_sheet.png`` of the records of a classification; returns heading and HTML of the cards."""
    clouds = clouds_of(records, data, split)
    pictures = [card.points for card in clouds]
    synthetic = data.info.synthetic
    contact_sheet_png(folder / "contact_sheet.png", pictures, title=title, synthetic=synthetic, **predictions(clouds))
    return section(clouds)


def clouds_of(records: Sequence[Mapping[str, Any]], data: DataSource, split: str) -> list[Card]:
    """The point clouds of these records as evaluation saw them."""
    wanted = {record["index"]: record for record in records}
    clouds = []
    for batch in cast(Iterator[PointBatch], data.loader(split, batch_size=256, train=False, seed=0).batches(0)):
        for place, index in enumerate(batch.index.tolist()):
            if index in wanted:
                record = wanted[index]
                top = [(name, float(probability)) for name, probability in record["top"]]
                points = batch.points[place].numpy()
                clouds.append(Card(points, top, true=record["label"], name=f"{split} {index}"))
    return clouds
