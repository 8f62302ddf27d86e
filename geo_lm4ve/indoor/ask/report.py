"""The report of a run that answers questions about rooms: training curves and one HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.engine.provenance import said
from geo_lm4ve.indoor.exhibit import SHEET
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Record
from geo_lm4ve.run_files import LOG, read_metrics
from geo_lm4ve.viz.choice import evenly
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.viz.html import PageTable
from geo_lm4ve.viz.run_page import run_report

SHOWN = 60
"""Questions on the page, evenly spaced over the split."""
SCANS = 12
"""Scans whose pictures are shown, with all of their questions."""
_BIG = ("em_at_1", "em_at_10", "acc_at_025", "acc_at_05", "map_at_025", "map_at_05")


def write_report(folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
    """Write ``curves.png`` (training) and ``report.html``, with what the data show of their rooms."""
    synthetic, protocol = data.info.synthetic, results["protocol"]
    title = f"{results['experiment']} · {results['block']} · {said(results)}"
    shown = spread(records)
    samples = data.exhibit(folder, of_some_scans(records), str(protocol["split"]), title)
    pictures = {"Rooms": folder / SHEET} if samples else {}
    if (folder / LOG).is_file():
        pictures["Training"] = folder / "curves.png"
        runs = {str(results["block"]): read_metrics(folder / LOG)}
        curves_png(pictures["Training"], runs, ("train_em_at_1", "em_at_1", "em_at_10"), title, synthetic=synthetic)
    metrics = results["metrics"]
    run_report(
        folder / "report.html",
        title,
        results,
        highlights={name.replace("_", " "): f"{100 * metrics[name]:.2f} %" for name in _BIG if name in metrics},
        tables=[metric_table(metrics), question_table(shown, len(records))],
        pictures=pictures,
        samples=samples,
        note=f"Proposals: {protocol['proposals']}." if "proposals" in protocol else "",
        synthetic=synthetic,
    )


def spread(records: Sequence[Record]) -> list[Record]:
    """At most ``SHOWN`` records, evenly spaced."""
    step = max(len(records) / SHOWN, 1.0)
    return [records[int(place * step)] for place in range(min(len(records), SHOWN))]


def of_some_scans(records: Sequence[Record]) -> list[Record]:
    """All records of at most ``SCANS`` scans, evenly spaced in the order of their names."""
    scans = sorted({record["scan"] for record in records})
    chosen = {scans[place] for place in evenly(len(scans), SCANS)}
    return [record for record in records if record["scan"] in chosen]


def metric_table(metrics: Mapping[str, float]) -> PageTable:
    """Every number of the split."""
    return PageTable("Metrics", ["metric", "value"], [[name, f"{value:.4f}"] for name, value in metrics.items()])


def question_table(records: Sequence[Record], total: int) -> PageTable:
    """Questions with their answers; the columns that any of them has."""
    columns = ["scan", "question", "situation", "answer", "right answers", "right?", "overlap"]
    rows = [_row(record) for record in records]
    kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    note = f"{len(records)} of {total:,} questions. Right answers are those that the vocabulary has."
    return PageTable("Questions", [columns[k] for k in kept], [[row[k] for k in kept] for row in rows], note)


def _row(record: Record) -> list[str]:
    (answer, share), overlap = record["top"][0], record.get("overlap")
    verdict = ("right" if record["right"] else "wrong") if "right" in record else ""
    return [
        record["scan"],
        record.get("question") or record["question_id"],
        record.get("situation") or "",
        f"{answer} ({100 * share:.0f} %)",
        ", ".join(record["right_answers"]) if "right_answers" in record else "",
        verdict,
        "" if overlap is None else f"{overlap:.2f}",
    ]
