"""The pictures of a finished run, drawn again from its files, without its model."""

from __future__ import annotations

from pathlib import Path

from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError, from_json


def redraw(experiment: ExperimentConfig, run: Path, out: Path) -> list[Path]:
    """Write the report of a run (or of an evaluation) again.

    Args:
        experiment: of the run; its data must be at hand.
        run: folder with ``results.json`` and ``predictions.jsonl``.
        out: folder for the pictures.

    Returns:
        The files that are there afterwards: pictures and pages.

    Raises:
        UserError: the run is not finished, or its data is missing.
    """
    try:
        results = from_json((run / "results.json").read_text(encoding="utf-8"))
        lines = (run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename} is missing: the run is not finished. Go on with tools/train.py {run}"
        ) from None
    data = experiment.data.build()
    experiment.task.build(data).report(out, results, [from_json(line) for line in lines], data)
    return sorted(path for path in out.iterdir() if path.suffix in (".png", ".html"))
