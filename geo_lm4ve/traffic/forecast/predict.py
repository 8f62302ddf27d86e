"""Forecasts for one's own traffic scenes, with or without futures: a submission file and a page to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.parts.task import Answers
from geo_lm4ve.progress import Meter
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.forecast.report import write_submission
from geo_lm4ve.traffic.heads.trajectories import Trajectories
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.submissions.forecasts import join_forecasts, names
from geo_lm4ve.traffic.viz.choice import evenly
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene

BATCH, SHOWN, LISTED = 32, 60, 20
"""Scenes at a time; scenes on the page, evenly spaced over all; rows of the printed table (the files hold all)."""


@dataclass(frozen=True)
class Predicted:
    """What became of files of one's own.

    Attributes:
        forecasts: in city coordinates, in the order of the files.
        left_out: "file: reason" of each that could not be read.
    """

    forecasts: Forecasts
    left_out: Sequence[str]


def answers(experiment: ExperimentConfig, folder: Path | None, files: Sequence[Path], top: int, out: Path) -> Answers:
    """``predict_scenes`` into ``out``, and the ends of the ``top`` likeliest futures of the first scenes as a table."""
    page = out / "scenes.html"
    predicted = predict_scenes(experiment, folder, files, out=out, gallery=page)
    forecasts = predicted.forecasts
    probabilities = cast(np.ndarray, forecasts.probabilities)  # a model always gives some
    top = min(top, probabilities.shape[1])
    rows = []
    for scene, modes, shares in list(zip(forecasts.scenes, forecasts.positions, probabilities))[:LISTED]:
        ends = zip(modes[:top, -1], shares)
        rows.append([scene, *(f"{x:.1f}, {y:.1f} · {probability:.2f}" for (x, y), probability in ends)])
    columns = ["scene", *(f"end {rank + 1}: x, y (city) · probability" for rank in range(top))]
    submission = out / cast(SceneConfig, experiment.data).layout.submission
    note = f"scenes: {len(forecasts.scenes)}; written: {submission}, {page}"
    return Answers(columns, rows, note, predicted.left_out)


@torch.no_grad()
def predict_scenes(
    experiment: ExperimentConfig,
    folder: Path | None,
    files: Sequence[Path],
    *,
    out: Path | None = None,
    gallery: Path | None = None,
) -> Predicted:
    """Forecast the target of every scene that can be read.

    Args:
        experiment: its ``data`` part says how a file becomes a scene.
        folder: run folder with the trained weights; None for a baseline that has none (or ``run.checkpoint``).
        files: scenes in the layout of the data, or folders of these.
        out: folder for the submission file.
        gallery: ``.html`` file to write.

    Raises:
        ConfigError: the experiment is not about traffic scenes, or needs weights and none were given.
        DataError: no file was given, or none can be read.
    """
    config = experiment.data
    if not isinstance(config, SceneConfig):
        raise ConfigError(f"data={config.name} has no traffic scenes to forecast")
    layout, found = config.layout, {file: config.layout.own_files(file) for file in files}
    paths = [path for file in files for path in found[file]]
    left_out = [f"{file}: no scene in this folder ({layout.scenes})" for file in files if not found[file]]
    if not files:
        raise DataError("no files to forecast were given")
    model = begin_evaluation(experiment, folder).model(layout.future)[0].eval()
    shown = {paths[row] for row in evenly(len(paths), SHOWN)} if gallery is not None else set()
    parts, drawn = [], []
    with Meter("forecast", len(paths)) as meter:
        for start in range(0, len(paths), BATCH):
            chosen = paths[start : start + BATCH]
            read, failed = _read(config, chosen)
            left_out += failed
            if read:
                batch = layout.batch([scene for _, scene in read], config.view)
                output = model(batch)
                parts.append(_forecasts(batch, output))
                drawn += _drawn(config, batch, output, {row: p for row, (p, _) in enumerate(read) if p in shown})
            meter.advance(len(chosen), f"{len(left_out):,} left out" if left_out else "")
    if not parts:
        raise DataError(f"none of the scenes can be forecast: {names(left_out)}")
    forecasts = join_forecasts(parts)
    if out is not None:
        write_submission(out, forecasts, layout)
    if gallery is not None:
        # The files are the caller's, whatever the model was trained on.
        note = "The model was trained on synthetic data." if config.synthetic and folder is not None else ""
        title = f"Forecasts of {experiment.name} · scenes: {len(forecasts)}"
        scenes_html(gallery, fitting(drawn), title, note=note, total=len(forecasts))
    return Predicted(forecasts, left_out)


def _read(config: SceneConfig, paths: Sequence[Path]) -> tuple[list[tuple[Path, Scene]], list[str]]:
    """The scenes that can be read, with their files, and "file: reason" of the others."""
    read, failed = [], []
    for path in paths:
        try:
            read.append((path, config.layout.own_scene(path, config.folder)))
        except DataError as error:
            failed.append(f"{path}: {str(error).removeprefix(f'{path}: ')}")
    return read, failed


def _forecasts(batch: SceneBatch, output: Trajectories) -> Forecasts:
    return Forecasts(
        scenes=batch.scene_id,
        tracks=[ids[0] for ids in batch.agent_ids],
        positions=batch.to_city(output.positions).numpy(),
        probabilities=output.probabilities.cpu().double().numpy(),
    )


def _drawn(config: SceneConfig, batch: SceneBatch, output: Trajectories, paths: dict[int, Path]) -> list[TrafficScene]:
    """Some scenes of a batch: ``paths`` maps their rows to their files."""
    return [
        traffic_scene(
            batch,
            row,
            modes=output.positions[row],
            probabilities=output.probabilities[row],
            surface=ground(config.layout.own_surface, path, config.folder, batch.city[row]),
        )
        for row, path in paths.items()
    ]
