"""The pictures of a pre-training run: input, visible part and reconstruction of some clouds, curves, one HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from geo_lm4ve.engine.provenance import said
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Record
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.viz.cards import Card, section
from geo_lm4ve.points.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.run_files import LOG, read_metrics
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.viz.run_page import run_report

SHOWN = 18
"""Clouds on a sheet at most, three pictures each."""
METRIC = "chamfer_l2_x1000"


def write_report(folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
    """Write ``reconstructions.png``, ``curves.png`` (training) and ``report.html``."""
    synthetic = data.info.synthetic
    title = f"{results['experiment']} · {results['block']} · {said(results)}"
    panels = panels_of(records, data, str(results["protocol"]["split"]))
    pictures = {}
    if panels:
        pictures["Reconstructions"] = folder / "reconstructions.png"
        contact_sheet_png(
            pictures["Reconstructions"],
            [panel.points for panel in panels],
            [panel.name for panel in panels],
            None,
            title,
            note="input, its visible groups, and these with the reconstruction of the hidden ones",
            synthetic=synthetic,
        )
    if (folder / LOG).is_file():
        pictures["Training"] = folder / "curves.png"
        curves_png(pictures["Training"], {"": read_metrics(folder / LOG)}, (METRIC,), title, synthetic=synthetic)
    run_report(
        folder / "report.html",
        title,
        results,
        highlights={key.replace("_", " "): f"{value:.3f}" for key, value in results["metrics"].items()},
        pictures=pictures,
        samples=section(panels) if panels else None,
        synthetic=synthetic,
    )


def panels_of(records: Sequence[Record], data: DataSource, split: str) -> list[Card]:
    """Three clouds for each record that keeps its points: the input, what was visible, and the reconstruction."""
    whole = {record["index"]: record for record in records if "predicted" in record}
    chosen = dict(list(whole.items())[:: -(-len(whole) // SHOWN) or 1])
    panels = []
    for index, points in clouds_of(chosen, data, split):
        record = chosen[index]
        visible, predicted = (np.asarray(record[key], dtype=np.float32) for key in ("visible", "predicted"))
        panels += [
            Card(points, name=f"{split} {index}"),
            Card(visible, name=f"visible ({split} {index})"),
            Card(np.concatenate([visible, predicted]), name=f"reconstruction\nCD-L2 {record[METRIC]:.2f} / 1000"),
        ]
    return panels


def clouds_of(rows: Mapping[int, Any], data: DataSource, split: str) -> Iterator[tuple[int, np.ndarray]]:
    """Row and points of these rows of a split, as evaluation saw them."""
    for batch in cast(Iterator[PointBatch], data.loader(split, batch_size=256, train=False, seed=0).batches(0)):
        for place, index in enumerate(batch.index.tolist()):
            if index in rows:
                yield index, batch.points[place].numpy()
