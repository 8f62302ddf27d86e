"""What a frozen block does to the tokens of traffic scenes, drawn over their lane maps."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.analysis.activation import frequency, magnitude
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.model import Model
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.source import SceneSource
from geo_lm4ve.traffic.viz.activation import with_activation
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene
from geo_lm4ve.viz.choice import evenly

KINDS = {"magnitude": magnitude, "frequency": frequency}


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
    tokens, output = _probed(model, batch, probe)
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


def _probed(model: Model, batch: Any, probe: Probe) -> tuple[TokenSet, Any]:
    """The tokens that enter or leave the bridge, and the model's output."""
    caught: list[TokenSet] = []

    def catch(_module: torch.nn.Module, arguments: tuple[Any, ...], result: TokenSet) -> None:
        caught.append(arguments[0] if probe is Probe.before else result)

    handle = model.bridge.register_forward_hook(catch)
    try:
        output = model.head(model.tokens(batch))  # of all tokens, not only those that the head reads
    finally:
        handle.remove()
    return caught[0], output
