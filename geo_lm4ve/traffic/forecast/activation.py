"""What a frozen block does to the tokens of traffic scenes, drawn over their lane maps."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import torch

from geo_lm4ve.analysis.activation import KINDS
from geo_lm4ve.analysis.passage import passage
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.model import Model
from geo_lm4ve.traffic.source import SceneSource
from geo_lm4ve.traffic.viz.activation import with_activation
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene
from geo_lm4ve.viz.choice import evenly


class Probe(Enum):
    """Where tokens are looked at: what enters the bridge (adapter in, block, adapter out), or what leaves it."""

    before = "before"
    after = "after"


@torch.no_grad()
def activation_page(
    experiment: ExperimentConfig,
    folder: Path | None,
    path: Path,
    *,
    probe: Probe = Probe.after,
    kind: str = "magnitude",
    count: int = 24,
) -> None:
    """Write a page of scenes whose agents and lanes are coloured by the activation of their tokens.

    Args:
        experiment: a forecasting experiment.
        folder: its run folder, or None for an experiment that names its weights (or has none).
        path: ``.html`` file to write.
        probe: before or after the bridge.
        kind: ``magnitude`` or ``frequency`` (``analysis/activation.py``).
        count: scenes, evenly spaced over ``run.split``.

    Raises:
        ConfigError: no traffic scenes, or an unknown kind.
    """
    run = experiment.run
    if kind not in KINDS:
        raise ConfigError(f"unknown kind of activation {kind!r}; known: {', '.join(KINDS)}")
    begun = begin_evaluation(experiment, folder)
    data = experiment.data.build()
    if not isinstance(data, SceneSource):
        raise ConfigError(f"token activation over maps needs traffic scenes, not data={experiment.data.name}")
    task = experiment.task.build(data)
    model, loaded = begun.model(task.outputs)
    scenes = _scenes(model.eval(), data, run.split, probe, kind, count)
    block = experiment.choices.get("block", experiment.block.name)
    scenes_html(
        path,
        fitting(scenes),
        f"Token activation ({kind}) {probe.value} the bridge · {experiment.name} · {block}",
        note=f"Weights: {loaded.origin}. 0 and 1 are the weakest and the strongest token of each scene.",
        total=data.info.counts[run.split],
        synthetic=data.info.synthetic,
    )


def _scenes(model: Model, data: SceneSource, split: str, probe: Probe, kind: str, count: int) -> list[TrafficScene]:
    scenes = data.split(split)
    batch = scenes.batch(torch.tensor(evenly(len(scenes), count)))
    passed = passage(model, batch)
    tokens, output = passed.before if probe is Probe.before else passed.after, passed.output
    values = KINDS[kind](tokens.features, tokens.valid)
    return [
        with_activation(
            traffic_scene(
                batch,
                row,
                modes=output.positions[row],
                probabilities=output.probabilities[row],
                surface=ground(data.surface, batch.scene_id[row], batch.city[row]),
            ),
            tokens,
            values,
            row,
        )
        for row in range(len(batch))
    ]
