"""The pictures of a classification run: confusion matrix, contact sheet, training curves, one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from geo_lm4ve.classification.confusion import confusion_png
from geo_lm4ve.classification.metrics import class_accuracies, confusion_matrix
from geo_lm4ve.engine.provenance import said
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Record
from geo_lm4ve.pretrained.published import columns, described
from geo_lm4ve.run_files import LOG, read_metrics
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.viz.html import PageTable
from geo_lm4ve.viz.run_page import run_report

SHOWN = 36
WRONG_SHARE = 1 / 3


def write_report(
    folder: Path,
    results: Mapping[str, Any],
    records: Sequence[Record],
    data: DataSource,
    classes: Sequence[str],
) -> None:
    """Write ``confusion.png``, ``curves.png`` (training), ``report.html`` and what the data shows of its samples."""
    synthetic = data.info.synthetic
    title = f"{results['experiment']} · {results['block']} · {said(results)}"
    confusion = confusion_of(records, classes)
    pictures = {"Confusion matrix": folder / "confusion.png"}
    confusion_png(pictures["Confusion matrix"], confusion.numpy(), classes, title, order="similar", synthetic=synthetic)
    samples = data.exhibit(folder, chosen(records), str(results["protocol"]["split"]), title)
    if (folder / LOG).is_file():
        pictures["Training"] = folder / "curves.png"
        runs = {str(results["block"]): read_metrics(folder / LOG)}
        curves_png(pictures["Training"], runs, ("train_accuracy", "overall_accuracy"), title, synthetic=synthetic)
    published = results.get("published")
    run_report(
        folder / "report.html",
        title,
        {key: value for key, value in results.items() if key != "published"},
        highlights={
            key.replace("_", " "): f"{100 * value:.2f} %"
            for key, value in results["metrics"].items()
            if "accuracy" in key
        },
        tables=[
            *([published_table(results["metrics"], published)] if published else []),
            class_table(confusion, classes),
        ],
        pictures=pictures,
        samples=samples,
        synthetic=synthetic,
    )


def confusion_of(records: Sequence[Record], classes: Sequence[str]) -> Int[torch.Tensor, "c c"]:
    """The confusion matrix of the records."""
    place = {name: index for index, name in enumerate(classes)}
    pairs = torch.tensor([[place[record["prediction"]], place[record["label"]]] for record in records])
    return confusion_matrix(pairs[:, 0], pairs[:, 1], len(classes))


def chosen(records: Sequence[Record]) -> list[Record]:
    """Records to show: up to a third errors, the rest right ones, each spread evenly over the split."""
    wrong = [record for record in records if not record["correct"]]
    right = [record for record in records if record["correct"]]
    errors = spread(wrong, max(round(SHOWN * WRONG_SHARE), SHOWN - len(right)))
    return sorted(errors + spread(right, SHOWN - len(errors)), key=lambda record: record["index"])


def spread(records: Sequence[Record], count: int) -> list[Record]:
    """At most ``count`` records, evenly spaced."""
    if len(records) <= count:
        return list(records)
    return [records[int(place)] for place in np.linspace(0, len(records) - 1, count)]


def published_table(metrics: Mapping[str, float], published: Mapping[str, Any]) -> PageTable:
    """Scores beside the published ones, or the conditions that differ from theirs."""
    if differing := published["differing"]:
        rows = [[name, one["published"], one["here"]] for name, one in differing.items()]
        return PageTable(
            "Published under other conditions", ["condition", "published", "here"], rows, described(published)
        )
    cells = columns(published, list(metrics))
    rows = [[key, f"{value:.4f}", *row] for (key, value), *row in zip(metrics.items(), *cells.values())]
    return PageTable("Beside the published numbers", ["metric", "here", *cells], rows, described(published))


def class_table(confusion: Int[torch.Tensor, "c c"], classes: Sequence[str]) -> PageTable:
    """Samples and accuracy of every class."""
    rows = [
        [name, str(int(count)), "–" if accuracy != accuracy else f"{100 * accuracy:.1f} %"]
        for name, count, accuracy in zip(classes, confusion.sum(1).tolist(), class_accuracies(confusion).tolist())
    ]
    return PageTable("Classes", ["class", "samples", "accuracy"], rows)
