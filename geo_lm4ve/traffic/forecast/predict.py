"""Forecasts for one's own traffic scenes, with or without futures: a submission file and a page to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.predict import predict_files
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.parts.task import Answers
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.forecast.report import write_submission
from geo_lm4ve.traffic.heads.trajectories import Trajectories
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.submissions.forecasts import join_forecasts
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene
from geo_lm4ve.viz.choice import evenly

SHOWN, LISTED = 60, 20
"""Scenes on the page, evenly spaced over all; rows of the table on a terminal (the files hold all)."""


@dataclass(frozen=True)
class Predicted:
    """What became of files of one's own.

    Attributes:
        forecasts: in city coordinates, in the order of the files.
        files: of the scenes that were forecast.
        left_out: "file: reason" of each that could not be read.
    """

    forecasts: Forecasts
    files: Sequence[Path]
    left_out: Sequence[str]


def answers(experiment: ExperimentConfig, folder: Path | None, files: Sequence[Path], top: int, out: Path) -> Answers:
    """``predict_scenes`` into ``out``, and the ends of the ``top`` likeliest futures of every scene as a table."""
    page = out / "scenes.html"
    predicted = predict_scenes(experiment, folder, files, out=out, gallery=page)
    forecasts = predicted.forecasts
    probabilities = cast(np.ndarray, forecasts.probabilities)  # a model always gives some
    top = min(top, probabilities.shape[1])
    rows = []
    for file, modes, shares in zip(predicted.files, forecasts.positions, probabilities):
        ends = zip(modes[:top, -1], shares)
        rows.append([str(file), *(f"{x:.1f}, {y:.1f} · {probability:.2f}" for (x, y), probability in ends)])
    columns = ["file", *(f"end {rank + 1}: x, y (city) · probability" for rank in range(top))]
    submission = out / cast(SceneConfig, experiment.data).layout.submission
    note = f"scenes: {len(forecasts.scenes)}; written: {submission}, {page}"
    return Answers(columns, rows, note, predicted.left_out, shown=LISTED)


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
    layout, own = config.layout, config.own()
    paths = own.find(files).files
    shown = {paths[row] for row in evenly(len(paths), SHOWN)} if gallery is not None else set()
    parts: list[Forecasts] = []
    read: list[Path] = []
    drawn: list[TrafficScene] = []

    def take(chunk: Sequence[Path], batch: SceneBatch, output: Trajectories) -> None:
        parts.append(_forecasts(batch, output))
        read.extend(chunk)
        drawn.extend(_drawn(config, batch, output, {row: path for row, path in enumerate(chunk) if path in shown}))

    left_out = predict_files(experiment, folder, layout.future, files, take)
    forecasts = join_forecasts(parts)
    if out is not None:
        write_submission(out, forecasts, layout)
    if gallery is not None:
        # The files are the caller's, whatever the model was trained on.
        note = "The model was trained on synthetic data." if config.synthetic and folder is not None else ""
        title = f"Forecasts of {experiment.name} · scenes: {len(forecasts)}"
        scenes_html(gallery, fitting(drawn), title, note=note, total=len(forecasts))
    return Predicted(forecasts, read, left_out)


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
            modes=output.positions[row].cpu(),
            probabilities=output.probabilities[row].cpu(),
            surface=ground(config.layout.own_surface, path, config.folder, batch.city[row]),
        )
        for row, path in paths.items()
    ]
