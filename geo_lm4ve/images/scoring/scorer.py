"""Several evaluations on ImageNet-C as one table: ``tools/evaluate.py --predictions RUN --protocol imagenet_c``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from geo_lm4ve.compare.runs import Run, collect
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.images.formats.imagenet_variants import CORRUPTIONS, EXTRA, SEVERITIES
from geo_lm4ve.images.scoring.corruptions import ALEXNET, Corruptions
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.parts.scorer import Scorer, register_scorer
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.run_files import RESULTS, RunError
from geo_lm4ve.words import marked

NAME = "imagenet_c"
"""Of the data, and of the protocol."""
NAMED = 5
"""Missing evaluations that are named."""


@dataclass(frozen=True)
class Scored:
    """One evaluation: of which model, on which corruption and severity, and its top-1 accuracy."""

    model: str
    corruption: str
    severity: int
    accuracy: float


class CorruptionScorer(Scorer):
    """Mean accuracy and mCE out of the evaluations of one model, of one corruption and severity each."""

    summary = "Mean top-1 accuracy and mean corruption error (mCE) on ImageNet-C, of evaluations that are there."
    epilog = """
predictions: the folder RUN/evaluations (or RUN) that this has filled, 75 evaluations for the means:
  geo-lm4ve evaluate RUN data=imagenet_c data.root=IMAGENET_C run.split=test run.pictures=false -m \\
    data.severity=1,2,3,4,5 data.corruption=gaussian_noise,shot_noise,impulse_noise,defocus_blur,glass_blur,\\
motion_blur,zoom_blur,snow,frost,fog,brightness,contrast,elastic_transform,pixelate,jpeg_compression

top-1: mean accuracy over 15 corruptions and 5 severities (column C of the paper's Table 1); mCE: mean over corruptions
of the error as a multiple of AlexNet's (arXiv 1903.12261). Where an evaluation is missing, the means are, too.
"""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """What to write."""
        parser.add_argument("--out", type=Path, metavar="FILE.json", help="write accuracies and means, 0 to 1")

    def score(self, options: argparse.Namespace) -> None:
        """See Scorer.score."""
        folder = options.predictions
        inside = folder / "evaluations"
        found = collect(inside if inside.is_dir() else folder)
        for place, reason in found.unreadable.items():
            say(f"{place}: left out ({reason})")
        scores = scores_of(found.runs, folder)
        if options.out:
            accuracy = {name: {str(one): value for one, value in by.items()} for name, by in scores.accuracy.items()}
            write_json(options.out, {"metrics": scores.means, "missing": scores.missing, "accuracy": accuracy})
        print_corruptions(scores, str(folder), Console(soft_wrap=True))


def scores_of(runs: list[Run], folder: Path) -> Corruptions:
    """The accuracies of evaluations of one model on ImageNet-C; others are passed over.

    Raises:
        UserError: there are none, two of one corruption and severity that differ, or some of different models.
    """
    accuracy: dict[str, dict[int, float]] = {}
    models: set[str] = set()
    for run in runs:
        if (one := scored(run.folder / RESULTS, run.results)) is None:
            continue
        models.add(one.model)
        found = accuracy.setdefault(one.corruption, {}).setdefault(one.severity, one.accuracy)
        if found != one.accuracy:
            raise UserError(
                f"{folder} holds two evaluations of {one.corruption}, severity {one.severity}, with different scores "
                f"(one of them {run.folder.name}): delete the one that is not meant"
            )
    if len(models) > 1:
        raise UserError(
            f"{folder} holds evaluations of different models: {', '.join(sorted(models))}; name the folder of one"
        )
    if not accuracy:
        raise UserError(
            f"{folder} holds no evaluation with data=imagenet_c: {command('evaluate')} --predictions --protocol "
            "imagenet_c --help says how it is filled"
        )
    return Corruptions(accuracy)


@reader(RunError, "an evaluation on ImageNet-C", "delete its folder and evaluate again")
def scored(path: Path, results: Mapping[str, Any]) -> Scored | None:
    """What the results of an evaluation say, which lie in ``path``; None if they are of other data.

    Raises:
        RunError: they are damaged.
    """
    data = Fields(results).fields("config").fields("data") if "data" in results.get("config", {}) else Fields({})
    if data.values.get("name") != NAME:
        return None
    corruption, accuracy = data.text("corruption"), Fields(results).fields("metrics").number("overall_accuracy")
    if corruption not in (*CORRUPTIONS, *EXTRA):
        raise ValueError(f"there is no corruption {corruption!r:.60}")
    if not 0 <= accuracy <= 1:
        raise ValueError(f"overall_accuracy is {accuracy:g}, not between 0 and 1")
    model = str(results.get("protocol", {}).get("checkpoint"))
    return Scored(model, corruption, data.whole("severity", SEVERITIES[0], SEVERITIES[-1]), accuracy)


def print_corruptions(scores: Corruptions, title: str, console: Console) -> None:
    """A row per corruption, and the means below."""
    table = Table(title=marked((f"ImageNet-C: top-1 accuracy [%] of {title}", "table.title")))
    table.add_column("corruption")
    for severity in SEVERITIES:
        table.add_column(str(severity), justify="right")
    for column in ("mean", "CE"):
        table.add_column(column, justify="right")
    for corruption in (*ALEXNET, *EXTRA):
        if (by := scores.accuracy.get(corruption)) is not None:
            mean, error = scores.mean(corruption), scores.error(corruption)
            table.add_row(corruption, *(_percent(by.get(one)) for one in SEVERITIES), _percent(mean), _percent(error))
    console.print(table)
    console.print(marked(said(scores.means, scores.missing)))


def said(means: Mapping[str, Any], missing: list[str]) -> str:
    """The means, or what is missing for them."""
    if means:
        return f"mean top-1 {_percent(means['top_1_accuracy'])} %, mCE {_percent(means['mce'])} % (of AlexNet's errors)"
    named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
    wanted = len(ALEXNET) * len(SEVERITIES)
    return f"mean top-1 and mCE are missing: {len(missing)} of {wanted} evaluations are not there ({named})"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


register_scorer(NAME, CorruptionScorer())
