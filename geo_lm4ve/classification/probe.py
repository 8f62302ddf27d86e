"""Linear probing: what a linear classifier makes of the features of an encoder that stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from geo_lm4ve.classification.head import ClassificationConfig, ClassificationHead, Pooling
from geo_lm4ve.classification.linear import RULE, Features, LinearFit, fit_linear
from geo_lm4ve.classification.metrics import confusion_matrix, mean_class_accuracy, overall_accuracy
from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.split import hold_out
from geo_lm4ve.engine.evaluate import print_metrics
from geo_lm4ve.engine.provenance import trained_on
from geo_lm4ve.engine.results import results_of
from geo_lm4ve.engine.session import Session, greet
from geo_lm4ve.engine.weights import SavedWeights, begin
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import write_json
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.progress import Meter
from geo_lm4ve.words import marked, unknown

HELD_OUT = 0.1
"""Part of every class of train that C is chosen on, where the data has no ``val``."""

Pools = tuple[tuple[str, str], ...]
"""Span and pooling of each part of the features, as ``ClassificationHead.pooling``."""


def probe(
    experiment: ExperimentConfig,
    folder: Path | None,
    *,
    pool: Sequence[str] = (),
    untrained: bool = False,
    out: Path | None = None,
) -> dict[str, Any]:
    """Fit and score a linear classifier; prints a table and returns what is written.

    Args:
        experiment: whose encoder, bridge and data.
        folder: of the run with the weights; ``run.checkpoint`` goes before it.
        pool: ``SPAN:HOW`` of each part of the features; default: see ``default_pools``.
        untrained: keep the weights as they are drawn by the seed.
        out: JSON file; default: in the run folder, if there is one.

    Raises:
        ConfigError: no weights, an experiment without classes, or a pooling that there is not.
        CheckpointError: weights that are not of this model.
        ProbeError: scikit-learn is missing.
    """
    source = None if untrained else experiment.run.checkpoint or folder
    if source is None and not untrained:
        raise ConfigError(
            "no weights to probe: give a run folder, run.checkpoint=PATH, or --untrained for those of the seed"
        )
    pools = _pools(pool) or default_pools(experiment)
    session = _session(experiment)
    ready = prepared(session, experiment, source)
    train, held_out, test = split_features(session, ready, pools, experiment.optim.micro_batch(1))
    fit = fit_linear(train, held_out, experiment.seed)
    protocol = {"split": "test", "checkpoint": ready.origin, **_protocol(fit, pools, train, held_out)}
    metrics = scores(fit, test, len(ready.data.info.classes))
    results = results_of(
        session, experiment, ready.model, ready.data, ready.trained_on, metrics, len(test), protocol,
        held_out_accuracy={str(strength): round(score, 6) for strength, score in fit.held_out.items()},
    )  # fmt: skip
    print_metrics(session, results)
    if path := out or (folder and folder / f"linear_probe{'_untrained' if untrained else ''}.json"):
        write_json(path, results)
        session.console.print(marked(f"written to {path}"))
    return results


def _session(experiment: ExperimentConfig) -> Session:
    session = Session(experiment.run)
    greet(session, experiment)
    if session.world > 1:
        raise ConfigError("a linear probe works in one process: start it without accelerate or torchrun")
    return session


@dataclass(frozen=True)
class Ready:
    """What gives the features.

    Attributes:
        model: in eval mode, for whole samples.
        data: whose samples.
        origin: where the weights came from.
        trained_on: what they were trained on.
    """

    model: Model
    data: DataSource
    origin: str
    trained_on: dict[str, Any]


def prepared(session: Session, experiment: ExperimentConfig, source: Path | str | None) -> Ready:
    """Model and data; without ``source`` with the weights of the seed. Errors as of ``probe``."""
    experiment.data.look()
    torch.manual_seed(experiment.seed)
    begun = begin(probed(experiment), source, start=True)
    fresh = f"untrained weights, seed {experiment.seed}"
    trained = {"data": None, "note": fresh} if source is None else trained_on(Path(source))
    data = session.build_data(experiment.data)
    if len(data.info.classes) < 2:
        raise ConfigError(f"a linear probe needs data with classes; {data.info.title} has {len(data.info.classes)}")
    saved = begun.weights.card["outputs"] if isinstance(begun.weights, SavedWeights) else None
    model, loaded = begun.model(saved or len(data.info.classes))
    return Ready(model.to(session.device).eval(), data, fresh if source is None else loaded.origin, trained)


def probed(experiment: ExperimentConfig) -> ExperimentConfig:
    """The experiment whose model gives the features: of whole samples, with a head of classification."""
    head = experiment.head if experiment.head.lasting else ClassificationConfig()
    if not isinstance(head, ClassificationConfig):
        raise ConfigError(f"head={experiment.head.name} is none of classification: it has no features to probe")
    return replace(experiment, encoder=experiment.encoder.unmasked(), head=head)


def default_pools(experiment: ExperimentConfig) -> Pools:
    """What the head of classification reads; after pre-training mean and maximum of the spans that it trained.

    A class token that was not trained would be drawn at random, and half of the features.
    """
    head, spans = experiment.head, experiment.encoder.pretrained_spans
    if isinstance(head, ClassificationConfig):
        return tuple((span, mode.name) for span, mode in zip(head.reads, head.pooling))
    if not spans:
        raise ConfigError(f"encoder={experiment.encoder.name} does not say what to probe: name it, --pool SPAN:mean")
    return tuple((span, mode) for span in spans for mode in ("mean", "max"))


def _pools(given: Sequence[str]) -> Pools:
    pairs = tuple((span, mode) for span, _, mode in (text.partition(":") for text in given))
    for span, mode in pairs:
        if mode not in Pooling.__members__:
            raise ConfigError(f"--pool {span}:{mode}: {unknown('pooling', mode, Pooling.__members__)}")
    return pairs


def split_features(
    session: Session, ready: Ready, pools: Pools, batch_size: int
) -> tuple[Features, Features, Features]:
    """Features of train, of its held-out part (``val``, else a tenth of every class), and of test."""
    found = {
        split: features_of(session, ready.model, ready.data, split, pools, batch_size)
        for split in ("train", "val", "test")
        if ready.data.info.counts.get(split)
    }
    train, test = found["train"], found["test"]
    if "val" in found:
        return train, found["val"], test
    kept, held = (rows.numpy() for rows in hold_out(torch.from_numpy(train.labels), HELD_OUT))
    return train[kept], train[held], test


@torch.no_grad()
def features_of(
    session: Session, model: Model, data: DataSource, split: str, pools: Pools, batch_size: int
) -> Features:
    """Features of all samples of a split, in its order, without augmentation."""
    loader = data.loader(split, batch_size=batch_size, train=False, seed=0)
    values, labels = [], []
    with Meter(f"features of {split}", loader.samples) as meter:
        for batch in loader.batches(0):
            with session.accelerator.autocast():
                pooled = torch.cat(list(pooled_tokens(model, batch.to(session.device), pools)), dim=-1)
            values.append(pooled.float().cpu().numpy())
            labels.append(batch.labels.cpu().numpy())  # type: ignore[attr-defined]
            meter.advance(len(batch))
    return Features(np.concatenate(values), np.concatenate(labels))


def pooled_tokens(model: Model, batch: Any, pools: Pools) -> Iterator[Tensor]:
    """The parts of the features: tokens as a classification head pools them, pooled.

    Raises:
        ConfigError: the encoder makes no such tokens.
    """
    tokens = model.tokens(batch)
    head = model.head
    if not isinstance(head, ClassificationHead):
        raise ConfigError(f"{type(head).__name__} is no head of classification: it has no features to probe")
    for span, mode in pools:
        if span not in tokens.spans:
            raise ConfigError(f"--pool {span}:{mode}: {unknown('span', span, tokens.spans)}")
        yield head.normed(tokens.select(span)).pool(mode, span)


def scores(fit: LinearFit, test: Features, classes: int) -> dict[str, float]:
    """Overall and mean class accuracy of the classifier."""
    predictions = torch.from_numpy(fit.classifier.predict(test.values))
    confusion = confusion_matrix(predictions, torch.from_numpy(test.labels), classes)
    return {
        "overall_accuracy": overall_accuracy(confusion),
        "mean_class_accuracy": mean_class_accuracy(confusion),
    }


def _protocol(fit: LinearFit, pools: Pools, train: Features, held_out: Features) -> dict[str, Any]:
    return {
        "probe": "LinearSVC on standardised features" + ("" if fit.converged else ", not converged"),
        "features": " + ".join(f"{mode} of {span}" for span, mode in pools) + f" ({train.values.shape[1]})",
        "C": fit.strength,
        "C_rule": RULE,
        "fitted_on": len(train) + len(held_out),
    }
