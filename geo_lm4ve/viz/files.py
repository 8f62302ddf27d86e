"""Pictures of what lies on disk: point cloud files, and the logs of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import OmegaConf

from geo_lm4ve.files import UserError
from geo_lm4ve.geometry.meshes import read_points
from geo_lm4ve.viz.cloud_cards import Cloud
from geo_lm4ve.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.viz.curves import curves_png, read_metrics
from geo_lm4ve.viz.html import html_report

Top = Sequence[tuple[str, float]]
"""(class, probability) of the best classes of a cloud, best first."""


def draw_files(files: Sequence[Path], out: Path, predictions: Mapping[str, Top] | None = None) -> list[Path]:
    """Draw point cloud and mesh files as ``clouds.png`` and ``clouds.html`` (to turn with the mouse).

    Args:
        files: anything that ``read_points`` reads; meshes are sampled.
        out: folder for the pictures.
        predictions: file name as given -> its best classes.

    Returns:
        The files written.

    Raises:
        PointsError: a file cannot be read; the message names it.
    """
    tops = predictions or {}
    clouds = [Cloud(read_points(path).points.numpy(), tops.get(str(path), ()), name=path.name) for path in files]
    title = files[0].name if len(files) == 1 else f"{len(files)} point clouds"
    labelled = all(cloud.top for cloud in clouds)
    contact_sheet_png(
        out / "clouds.png",
        [cloud.points for cloud in clouds],
        [f"{cloud.top[0][0]}\n{cloud.name}" if cloud.top else f"{cloud.name}\n{_size(cloud)}" for cloud in clouds],
        None,
        title,
        probabilities=[cloud.top[0][1] for cloud in clouds] if labelled else None,
        note="predicted class in bold, file below" if labelled else "",
    )
    html_report(out / "clouds.html", title, {}, clouds=clouds, note=", ".join(map(str, files[:20])))
    return [out / "clouds.png", out / "clouds.html"]


def draw_logs(runs: Sequence[Path], out: Path, metrics: Sequence[str]) -> list[Path]:
    """Draw the training curves of several run folders in one ``curves.png``; returns the files written.

    Raises:
        UserError: a run has no log yet, or nothing that can be drawn.
    """
    for run in runs:
        if not (run / "metrics.jsonl").is_file():
            raise UserError(f"{run} has no metrics.jsonl: its first epoch is not finished, or it is no run folder")
    logs = {_run_name(run): read_metrics(run / "metrics.jsonl") for run in map(Path.resolve, runs)}
    try:
        curves_png(out / "curves.png", logs, metrics, f"{len(runs)} runs")
    except ValueError as error:
        raise UserError(str(error)) from error
    return [out / "curves.png"]


def _run_name(run: Path) -> str:
    """The block and the folder of a run; the folder alone where no config says which block."""
    config = OmegaConf.load(run / "config.yaml") if (run / "config.yaml").is_file() else OmegaConf.create()
    block = OmegaConf.select(config, "choices.block")
    return f"{block} · {run.name}" if block else run.name


def _size(cloud: Cloud) -> str:
    return f"{len(cloud.points):,} points"
