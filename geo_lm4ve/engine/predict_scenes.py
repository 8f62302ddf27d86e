"""Forecasts for one's own traffic scenes, with or without futures: a submission file and a page to look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.base import DataError
from geo_lm4ve.data.scene_source import SceneConfig
from geo_lm4ve.data.scenes import SceneBatch
from geo_lm4ve.engine.progress import Meter
from geo_lm4ve.engine.weights import build_experiment_model, checkpoint_folder
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.heads.trajectories import Trajectories
from geo_lm4ve.metrics.submissions import Forecasts
from geo_lm4ve.metrics.submissions.forecasts import join
from geo_lm4ve.model import Model
from geo_lm4ve.tasks.forecast_report import write_submission
from geo_lm4ve.viz.scene import TrafficScene, traffic_scene
from geo_lm4ve.viz.scene_html import fitting, scenes_html

BATCH = 32
"""Scenes at a time."""


@torch.no_grad()
def predict_scenes(
    experiment: ExperimentConfig,
    folder: Path | None,
    files: Sequence[Path],
    *,
    out: Path | None = None,
    gallery: Path | None = None,
) -> Forecasts:
    """Forecast the target of every scene.

    Args:
        experiment: its ``data`` part says how a file becomes a scene.
        folder: run folder with the trained weights; None for a baseline that has none.
        files: csv files (Argoverse 1), or scenario folders or their parquet files (Argoverse 2).
        out: folder for ``forecasts.h5`` or ``forecasts.parquet``.
        gallery: ``.html`` file to write.

    Returns:
        The forecasts in city coordinates, in the order of ``files``.

    Raises:
        ConfigError: the experiment is not about traffic scenes, or needs weights and no run folder was given.
        DataError: a file cannot be read, or none was given.
    """
    config = experiment.data
    if not isinstance(config, SceneConfig):
        raise ConfigError(f"data={config.name} has no traffic scenes to forecast")
    if not files:
        raise DataError("no files to forecast were given")
    model = _model(experiment, folder, config.future)
    parts, scenes = [], []
    with Meter("forecast", len(files)) as meter:
        for start in range(0, len(files), BATCH):
            batch = config.read(list(files[start : start + BATCH]))
            output = model(batch)
            parts.append(_forecasts(batch, output))
            if gallery is not None:
                scenes += _drawn(config, batch, output)
            meter.advance(len(batch))
    forecasts = join(parts)
    if out is not None:
        write_submission(out, forecasts, config.protocol)
    if gallery is not None:
        # The files are the caller's, whatever the model was trained on.
        note = "The model was trained on synthetic data." if config.synthetic and folder is not None else ""
        title = f"Forecasts of {experiment.name} · scenes: {len(files)}"
        scenes_html(gallery, fitting(scenes), title, note=note, total=len(scenes))
    return forecasts


def _model(experiment: ExperimentConfig, folder: Path | None, steps: int) -> Model:
    if folder is not None:
        return Model.from_pretrained(checkpoint_folder(folder))
    model = build_experiment_model(experiment, steps)
    if model.count()["trainable"]:
        raise ConfigError(f"{experiment.name} has trainable weights: name a run folder that holds them")
    return model.eval()


def _forecasts(batch: SceneBatch, output: Trajectories) -> Forecasts:
    return Forecasts(
        scenes=batch.scene_id,
        tracks=[ids[0] for ids in batch.agent_ids],
        positions=batch.to_city(output.positions).numpy(),
        probabilities=output.probabilities.cpu().double().numpy(),
    )


def _drawn(config: SceneConfig, batch: SceneBatch, output: Trajectories) -> list[TrafficScene]:
    return [
        traffic_scene(
            batch,
            row,
            modes=output.positions[row],
            probabilities=output.probabilities[row],
            surface=config.surface(batch.scene_id[row], batch.city[row]),
        )
        for row in range(len(batch))
    ]
