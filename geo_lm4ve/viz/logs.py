"""The training curves of several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.files import UserError
from geo_lm4ve.run_files import CONFIG, LOG, read_metrics
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.yaml_file import read_values


def draw_logs(runs: Sequence[Path], out: Path, metrics: Sequence[str]) -> list[Path]:
    """Draw the training curves of several run folders in one ``curves.png``; returns the files written.

    Raises:
        UserError: a run has no log yet, or nothing that can be drawn.
    """
    for run in runs:
        if not (run / LOG).is_file():
            raise UserError(f"{run} has no {LOG}: its first epoch is not finished, or it is no run folder")
    logs = {run_name(run): read_metrics(run / LOG) for run in map(Path.resolve, runs)}
    curves_png(out / "curves.png", logs, metrics, f"{len(runs)} runs")
    return [out / "curves.png"]


def run_name(run: Path) -> str:
    """The block and the folder of a run; the folder alone where no config says which block."""
    config = read_values(run / CONFIG) if (run / CONFIG).is_file() else {}
    choices = config.get("choices")
    block = choices.get("block") if isinstance(choices, dict) else None
    return f"{block} · {run.name}" if block else run.name
