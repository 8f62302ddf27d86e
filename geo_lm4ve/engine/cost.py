"""What the forward pass behind a score costs, measured beside the score."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch

from geo_lm4ve.costs import Cost, Latency
from geo_lm4ve.data.random import global_generators_kept
from geo_lm4ve.engine.flops import count_flops
from geo_lm4ve.engine.session import Session, device_name
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import Batch, DataSource
from geo_lm4ve.parts.task import Task

LEAST, MOST = 3, 10
"""Forward passes that are timed."""
SECONDS = 0.5
"""After these no further pass begins, but for the least number."""


def measured(
    session: Session, experiment: ExperimentConfig, model: Model, data: DataSource, task: Task
) -> dict[str, Any]:
    """The entry ``cost`` of ``results.json``; nothing where ``run.cost`` is off. All processes have to call.

    Measures in eval mode what evaluation computes: the first batch of ``run.split`` on the main process, and its first
    sample by itself. Model, its mode and random generators are as before.
    """
    if not experiment.run.cost:
        return {}
    own = [_cost(session, experiment, model, data, task).plain()] if session.main else []
    return {"cost": session.gather(own)[0]}


@torch.no_grad()
def _cost(session: Session, experiment: ExperimentConfig, model: Model, data: DataSource, task: Task) -> Cost:
    def first(batch_size: int) -> Batch:
        loader = data.loader(
            experiment.run.split, batch_size=batch_size, train=False, seed=experiment.seed, view=1 if task.votes else 0
        )
        return next(iter(loader.batches(0)))

    with _untouched(session, model), session.accelerator.autocast():
        batch, sample = (first(size).to(session.device) for size in (experiment.optim.micro_batch(session.world), 1))
        flops = count_flops(model, batch)
        model(sample)  # the counted pass was the first of the other batch
        evaluated, alone = (_latency(session, model, one) for one in (batch, sample))
    return Cost(
        {part: {kind: value / len(batch) for kind, value in spent.items()} for part, spent in flops.items()},
        evaluated,
        alone,
        device_name(session.device),
        torch.get_num_threads(),
        session.world,
        precision(session, model),
    )


@contextmanager
def _untouched(session: Session, model: Model) -> Iterator[None]:
    """The model in eval mode, then in its own again; what is drawn inside leaves no trace in any generator."""
    devices = [] if session.device.type == "cpu" else [session.device]
    training = model.training
    with global_generators_kept(), torch.random.fork_rng(devices, device_type=session.device.type):
        model.eval()
        try:
            yield
        finally:
            model.train(training)


def _latency(session: Session, model: Model, batch: Batch) -> Latency:
    seconds: list[float] = []
    while len(seconds) < LEAST or (len(seconds) < MOST and sum(seconds) < SECONDS):
        begin = _now(session.device)
        model(batch)
        seconds.append(_now(session.device) - begin)
    return Latency(len(batch), 1000 * median(seconds) / len(batch), len(seconds))


def _now(device: torch.device) -> float:
    """Seconds on a clock, when the device has finished what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


def precision(session: Session, model: Model) -> str:
    """In which products are computed: autocast's dtype, else that of the trained weights."""
    if session.accelerator.mixed_precision != "no":
        return f"{session.accelerator.mixed_precision} (mixed)"
    dtypes = (parameter.dtype for parameter in model.parameters() if parameter.requires_grad)
    return str(next(dtypes, torch.get_default_dtype())).removeprefix("torch.")
