"""The training curves of several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from geo_lm4ve.files import UserError
from geo_lm4ve.viz.curves import curves_png, read_metrics


def draw_logs(runs: Sequence[Path], out: Path, metrics: Sequence[str]) -> list[Path]:
    """Draw the training curves of several run folders in one ``curves.png``; returns the files written.

    Raises:
        UserError: a run has no log yet, or nothing that can be drawn.
    """
    for run in runs:
        if not (run / "metrics.jsonl").is_file():
            raise UserError(f"{run} has no metrics.jsonl: its first epoch is not finished, or it is no run folder")
    logs = {run_name(run): read_metrics(run / "metrics.jsonl") for run in map(Path.resolve, runs)}
    try:
        curves_png(out / "curves.png", logs, metrics, f"{len(runs)} runs")
    except ValueError as error:
        raise UserError(str(error)) from error
    return [out / "curves.png"]


def run_name(run: Path) -> str:
    """The block and the folder of a run; the folder alone where no config says which block."""
    config = OmegaConf.load(run / "config.yaml") if (run / "config.yaml").is_file() else OmegaConf.create()
    block = OmegaConf.select(config, "choices.block")
    return f"{block} · {run.name}" if block else run.name
