"""What a forecasting run leaves behind: submission file, scores with breakdown, per-scene table; pictures, pages."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.engine.provenance import said
from geo_lm4ve.files import write_json
from geo_lm4ve.parts.task import Record
from geo_lm4ve.run_files import LOG, read_metrics
from geo_lm4ve.traffic.forecast.records import KS, SAID, forecast_of, forecasts_of, table_of
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.metrics.table import SceneTable, breakdown, means
from geo_lm4ve.traffic.metrics.table_file import write_table
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.source import SceneSource
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.viz.animation import animate
from geo_lm4ve.traffic.viz.choice import middles, worst_and_spread
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.png import scenes_png, subscripted
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.viz.html import PageTable
from geo_lm4ve.viz.run_page import run_report

SHEET = 12
"""Scenes on a sheet."""


def write_report(
    folder: Path,
    results: Mapping[str, Any],
    records: Sequence[Record],
    data: SceneSource,
    layout: Layout,
    protocol: Protocol,
    pictures: int,
) -> None:
    """Draw into the run folder.

    ``worst.png`` and ``spread.png`` (with each scene's rank in the split), ``worst.gif`` (``worst.mp4`` too where
    ffmpeg is), ``curves.png`` (training), ``scenes.html`` (interactive) and ``report.html``.

    Args:
        folder: run folder.
        results: content of ``results.json``.
        records: one per scene, in the order of the split.
        data: the scenes.
        layout: of the data set; decides the submission format.
        protocol: whose metrics.
        pictures: scenes in the interactive page.
    """
    table = table_of(records)
    scores = scores_of(table, protocol, folder / layout.submission, results)
    title = f"{results['experiment']} · {results['block']} · {said(results)}"
    split = str(results["protocol"]["split"])
    scenes = scenes_of([records[row] for row in worst_and_spread(table[SAID[1]], pictures)], data, split)
    drawn = _sheets(folder, records, data, split, title) | _curves(folder, title, results, data.info.synthetic)
    worst = max(scenes, key=lambda scene: scene.numbers[SAID[1]])
    for suffix in (".gif", ".mp4") if shutil.which("ffmpeg") else (".gif",):
        animate(folder / f"worst{suffix}", worst, synthetic=data.info.synthetic)
    scenes_html(
        folder / "scenes.html",
        fitting(scenes),
        title,
        note="Half of the scenes are the worst of the split, the others are spread evenly over the rest.",
        highlights=_highlights(scores),
        total=len(records),
        synthetic=data.info.synthetic,
    )
    run_report(
        folder / "report.html",
        title,
        results,
        highlights=_highlights(scores),
        tables=[_metric_table(scores["metrics"]), _breakdown_table(scores["breakdown"])],
        pictures=drawn,
        note="Scenes to play through: scenes.html beside this page.",
        synthetic=data.info.synthetic,
    )


def write_files(
    folder: Path, results: Mapping[str, Any], records: Sequence[Record], layout: Layout, protocol: Protocol
) -> list[Path]:
    """Write what other programs read; returns the files.

    The submission file of the layout, ``scores.json`` (the shape of the evaluator's JSON)
    and ``scenes.csv`` (one row per scene).
    """
    submission, table = write_submission(folder, forecasts_of(records), layout), table_of(records)
    write_json(folder / "scores.json", scores_of(table, protocol, submission, results))
    write_table(folder / "scenes.csv", table)
    return [submission, folder / "scores.json", folder / "scenes.csv"]


def write_submission(folder: Path, forecasts: Forecasts, layout: Layout) -> Path:
    """Write the forecasts in the submission format of the data set; returns the file."""
    path = folder / layout.submission
    layout.write_submission(path, forecasts)
    return path


def scores_of(table: SceneTable, protocol: Protocol, submission: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics and breakdown in the shape of the evaluator's JSON (``scoring/scores.py``)."""
    return {
        "metrics": means(table, protocol, KS),
        "protocol": protocol.value,
        "samples": len(table["scene"]),
        "predictions": submission.name,
        "data": results["data"],
        "split": results["protocol"]["split"],
        "breakdown": breakdown(table, protocol, KS),
    }


def scenes_of(records: Sequence[Record], data: SceneSource, split: str) -> list[TrafficScene]:
    """The scenes of some records with their forecasts, in the order of the records (ascending index)."""
    batch = data.split(split).batch(torch.tensor([record["index"] for record in records]))
    modes = batch.to_scene(torch.stack([torch.from_numpy(forecast_of(record)) for record in records]))
    return [
        traffic_scene(
            batch,
            row,
            modes=modes[row],
            probabilities=torch.tensor(record["probabilities"], dtype=torch.float64),
            surface=ground(data.surface, record["scene"], record["city"]),
            numbers={name: record[name] for name in SAID},
        )
        for row, record in enumerate(records)
    ]


def _sheets(folder: Path, records: Sequence[Record], data: SceneSource, split: str, title: str) -> dict[str, Path]:
    """The last ranks of the split, and evenly spaced ones of all of it; returns caption -> PNG."""
    by_rank = sorted(records, key=lambda record: record[SAID[1]])
    total, order = len(by_rank), f"by {subscripted(SAID[1])}, 1 is the best"
    sheets = {
        "The worst scenes": (folder / "worst.png", f"ranks {order}", range(total)[: -SHEET - 1 : -1]),
        "Scenes over the split": (folder / "spread.png", f"evenly spaced ranks {order}", middles(total, SHEET)),
    }
    for caption, (path, what, places) in sheets.items():
        shown = sorted((by_rank[place] for place in places), key=lambda record: record["index"])
        by_index = {record["index"]: scene for record, scene in zip(shown, scenes_of(shown, data, split))}
        scenes = [by_index[by_rank[place]["index"]] for place in places]
        ranks = [f"rank {place + 1} of {total}" for place in places]
        scenes_png(path, scenes, title, note=f"{caption}: {what}", labels=ranks, synthetic=data.info.synthetic)
    return {caption: path for caption, (path, *_) in sheets.items()}


def _curves(folder: Path, title: str, results: Mapping[str, Any], synthetic: bool) -> dict[str, Path]:
    """Training curves, where there was training; returns caption -> PNG."""
    if not (folder / LOG).is_file():
        return {}
    runs = {str(results["block"]): read_metrics(folder / LOG)}
    curves_png(folder / "curves.png", runs, ("minADE_6", "minFDE_6"), title, synthetic=synthetic)
    return {"Training": folder / "curves.png"}


def _highlights(scores: Mapping[str, Any]) -> dict[str, str]:
    shown = [(k, name) for k in ("K=6", "K=1") for name in ("minADE", "minFDE", "MR", "brier-minFDE", "DAC")]
    values = scores["metrics"]
    return {
        f"{name} {k}": f"{values[k][name]:.3f}"
        for k, name in shown
        if name in values[k] and (k, name) != ("K=1", "brier-minFDE")
    }


def _metric_table(metrics: Mapping[str, Mapping[str, float]]) -> PageTable:
    rows = [[name, *(f"{values[name]:.4f}" for values in metrics.values())] for name in next(iter(metrics.values()))]
    return PageTable("Metrics", ["metric", *metrics], rows)


def _breakdown_table(parts: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> PageTable:
    names = ("minADE", "minFDE", "MR", "brier-minFDE")
    rows = [
        [grouping, group, values["samples"], *(f"{values['K=6'][name]:.3f}" for name in names)]
        for grouping, groups in parts.items()
        for group, values in groups.items()
    ]
    note = "Speed over the last observed second; turn from the last observed to the last future second."
    return PageTable("Breakdown, K=6", ["by", "group", "scenes", *names], rows, note)
