"""The pictures of a finished run, drawn again from its files, without its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.invocation import command
from geo_lm4ve.parts.task import Record, Task
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.run_files import PREDICTIONS, RESULTS, RunError, read_predictions, read_results


def redraw(experiment: ExperimentConfig, run: Path, out: Path) -> list[Path]:
    """Write the report of a run (or of an evaluation) again.

    Args:
        experiment: of the run; its data must be at hand.
        run: folder with ``results.json`` and ``predictions.jsonl``.
        out: folder for the pictures.

    Returns:
        The files that are there afterwards: pictures and pages.

    Raises:
        UserError: the run is not finished, its files are damaged, or its data is missing.
    """
    if missing := [name for name in (RESULTS, PREDICTIONS) if not (run / name).is_file()]:
        raise UserError(f"{run / missing[0]} is missing: the run is not finished. Go on with {command('train')} {run}")
    data = experiment.data.build()
    task = experiment.task.build(data)
    results, records = read_outcome(run, task)
    task.report(out, results, records, data)
    return sorted(path for path in out.iterdir() if path.suffix in (".png", ".html"))


@reader(RunError, "a finished run of this task and data", "evaluate it again")
def read_outcome(run: Path, task: Task) -> tuple[dict[str, Any], list[Record]]:
    """Results and records as ``Task.report`` takes them."""
    results, records = read_results(run / RESULTS), read_predictions(run / PREDICTIONS)
    known = Fields(results)
    known.text("experiment"), known.text("block"), known.text("data"), known.fields("protocol").text("split")
    if known.whole("samples") != len(records):
        raise ValueError(f"{RESULTS} counts {results['samples']} samples, {PREDICTIONS} has {len(records)}")
    task.check_records(records)
    return results, records
