"""The scorer of anybody's forecasts: ``tools/evaluate.py --predictions FILE --data SPLIT --protocol av1|av2``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as ConsoleTable

from geo_lm4ve.files import UserError
from geo_lm4ve.parts.scorer import Scorer, register_scorer
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.words import marked

EPILOG = """
files:
  av1  HDF5 with the dataset "argoverse_forecasting": float rows (sequence, x, y[, probability]), 30 consecutive rows
       per trajectory, city coordinates. SPLIT_DIR holds data/<sequence>.csv.
  av2  parquet with scenario_id, track_id, probability, predicted_trajectory_x and predicted_trajectory_y (60 values
       each), city coordinates. SPLIT_DIR holds <id>/scenario_<id>.parquet. The focal track of each scenario is scored;
       --worlds also scores all scored tracks jointly.

metrics (the official definitions; K=1 takes the most likely mode):
  minFDE          end point error of the mode with the best end point [m]
  minADE          av1: average error of that same mode; av2: smallest average error (its av1 reading is minADE@bestFDE)
  MR              share of scenes with minFDE > 2.0 m
  p-, brier-      with the probability p of the mode, renormalised over the K kept: + min(-ln p, -ln 0.05), + (1 - p)^2
  DAC             share of trajectories entirely on the drivable area

examples:
  geo-lm4ve evaluate --predictions val.h5 --data datasets/argoverse1/raw/val --protocol av1 --out scores.json
  geo-lm4ve evaluate --predictions val.parquet --data datasets/argoverse2/raw/val --protocol av2 --per-scene s.csv
"""


class ForecastScorer(Scorer):
    """Scores forecasts by the rules of a layout's own evaluation.

    Args:
        layout: of predictions and scenes.
    """

    summary = "Score the forecasts of any model, from a submission file, with the official metrics."
    epilog = EPILOG

    def __init__(self, layout: Layout):
        self.layout = layout

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Where the truth lies, what to write, what to allow."""
        add = parser.add_argument
        add("--data", type=Path, required=True, metavar="SPLIT_DIR", help="split folder that holds the futures")
        add("--out", type=Path, metavar="FILE.json", help="write metrics, breakdown and notes as JSON")
        add("--per-scene", type=Path, metavar="FILE", help="write one row per scene (.csv or .parquet)")
        add("--gallery", type=Path, metavar="FILE.html", help="write a page with the forecasts over the lane maps")
        add("--k", type=int, nargs="+", default=[1, 6], metavar="K", help="numbers of guesses (default: 1 6)")
        add("--allow-missing", action="store_true", help="score what there is although scenes are missing or unknown")
        add("--normalize", action="store_true", help="divide probabilities by their sum instead of refusing other sums")
        add("--worlds", action="store_true", help="av2: also score all scored tracks jointly")
        add("--drivable-area", action="store_true", help="av2: also compute DAC from the scenarios' maps")
        add(
            "--maps",
            type=Path,
            metavar="DIR",
            help="av1: folder map_files with the rasters for DAC (default: near SPLIT_DIR)",
        )
        add("--processes", type=int, default=1, metavar="N", help="read the ground truth with N processes")

    def score(self, options: argparse.Namespace) -> None:
        """See Scorer.score."""
        from geo_lm4ve.traffic.metrics.table_file import SUFFIXES, write_table
        from geo_lm4ve.traffic.scoring.scores import score_predictions

        if options.per_scene and options.per_scene.suffix not in SUFFIXES:
            raise UserError(f"--per-scene writes {' or '.join(SUFFIXES)}, not {options.per_scene.name!r}")
        scores = score_predictions(
            options.predictions, options.data, self.layout, k=options.k, out=options.out,
            allow_missing=options.allow_missing, normalize=options.normalize, worlds=options.worlds,
            drivable_area=options.drivable_area, maps=options.maps, processes=options.processes,
        )  # fmt: skip
        if options.per_scene:
            write_table(options.per_scene, scores.table)
        if options.gallery:
            from geo_lm4ve.traffic.scoring.gallery import write_gallery

            root = options.maps.parent if options.maps else options.data.parent
            write_gallery(options.gallery, scores, self.layout, root=root)
        print_scores(scores.results, Console(soft_wrap=True))


register_scorer("av1", ForecastScorer(ARGOVERSE1))
register_scorer("av2", ForecastScorer(ARGOVERSE2))


def print_scores(results: Mapping[str, Any], console: Console) -> None:
    """Print metrics, the breakdown and what a reader should know."""
    title = f"{results['predictions']} on {results['data']}"
    console.print(_metrics_table(title, results["metrics"], f"{results['protocol']}, {results['samples']:,} scenes"))
    if "multi_world" in results:
        console.print(_metrics_table("all scored tracks jointly", results["multi_world"], "best world by mean FDE"))
    console.print(_breakdown_table(results["breakdown"]))
    for what in ("missing", "extra"):
        if count := results[what]["count"]:
            console.print(marked(f"{what} scenes: {count:,} ({', '.join(results[what]['names'][:5])}, ...)"))
    for note in results["notes"]:
        console.print(marked(f"note: {note}"))


def _metrics_table(title: str, metrics: Mapping[str, Mapping[str, float]], caption: str) -> ConsoleTable:
    table = ConsoleTable(title=marked((title, "table.title")), caption=caption)
    table.add_column("metric")
    for column in metrics:
        table.add_column(column, justify="right")
    for name in next(iter(metrics.values())):
        table.add_row(name, *(f"{values[name]:.4f}" for values in metrics.values()))
    return table


def _breakdown_table(parts: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> ConsoleTable:
    """The largest K of every group."""
    first = next(iter(next(iter(parts.values())).values()))
    k = [key for key in first if key.startswith("K=")][-1]
    shown = [name for name in ("minADE", "minFDE", "MR", "brier-minFDE") if name in first[k]]
    table = ConsoleTable(title=f"breakdown, {k}")
    for column in ("by", "group"):
        table.add_column(column)
    for column in ("scenes", *shown):
        table.add_column(column, justify="right")
    for grouping, groups in parts.items():
        for place, (group, values) in enumerate(groups.items()):
            numbers = [f"{values[k][name]:.3f}" for name in shown]
            table.add_row(grouping if place == 0 else "", marked(group), f"{values['samples']:,}", *numbers)
        table.add_section()
    return table
