"""Training: one loop for every task; it can be killed at any point and goes on to the same weights."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo_lm4ve.config import ConfigError, plain
from geo_lm4ve.engine.cost import measured
from geo_lm4ve.engine.evaluate import print_metrics
from geo_lm4ve.engine.fellows import together
from geo_lm4ve.engine.lock import RunLock
from geo_lm4ve.engine.provenance import data_facts, said, trained_on
from geo_lm4ve.engine.results import results_of, write_results
from geo_lm4ve.engine.session import announce
from geo_lm4ve.engine.trackers import Trackers
from geo_lm4ve.engine.trainer import Trainer, TrainingError
from geo_lm4ve.experiment import ExperimentConfig, to_yaml
from geo_lm4ve.files import FULL, DiskFullError, UserError, append_line, to_json, write_json, write_text
from geo_lm4ve.files import said as said_of
from geo_lm4ve.invocation import command
from geo_lm4ve.parts.run import SelectOn
from geo_lm4ve.run_files import CONFIG, LOG, RESULTS, SELECTED, log_until, read_results
from geo_lm4ve.saved import PARTS, WEIGHTS, read_weights
from geo_lm4ve.words import line, marked
from geo_lm4ve.yaml_file import read_values

FREE = ("block.source", "block.dtype", "block.implementation", "bridge.lr_scale", "bridge.weight_decay",
        "bridge.checkpoint")  # fmt: skip
"""Keys of the model's parts that may change where a run goes on: the block is told by its fingerprint."""

ECHO = 1.0
"""Seconds in which a second signal is the first one again, sent by the launcher of several processes."""


def select(trainer: Trainer, scores: dict[str, float]) -> None:
    """Keep the model as ``best`` if its primary metric is the best so far."""
    value, best = scores[trainer.task.primary], trainer.position.best
    if best is None or (value > best if trainer.task.higher_is_better else value < best):
        trainer.position.best, trainer.position.best_epoch = value, trainer.position.epoch
        trainer.keep("best", trainer.position.epoch + 1)


def finish_epoch(trainer: Trainer, row: dict[str, Any], trackers: Trackers) -> None:
    """Evaluate if due, log, move to the next epoch and write the checkpoints."""
    position, last = trainer.position, trainer.position.epoch + 1 == trainer.optim.epochs or trainer.out_of_steps
    due = last or (position.epoch + 1) % trainer.run.evaluate_every == 0
    if due and trainer.run.select_on is not SelectOn.last:
        scores = trainer.score(trainer.run.select_on.value).metrics
        row |= {f"{trainer.run.select_on.value}_{key}": value for key, value in scores.items()}
        select(trainer, scores)
    row = {"epoch": position.epoch + 1, "step": position.steps, **row}
    if trainer.session.main:
        append_line(trainer.folder / LOG, to_json(row))
        trackers.log(row)
        shown = ", ".join(f"{key} {value:.4g}" for key, value in row.items() if key not in ("epoch", "step"))
        trainer.session.console.print(marked(f"epoch {row['epoch']:>3}/{trainer.optim.epochs}: {shown}"))
    position.epoch, position.step, position.sums = position.epoch + 1, 0, {}
    if last or position.epoch % trainer.run.checkpoint_every == 0:
        trainer.save()


def fit(trainer: Trainer) -> bool:
    """Train to the end; False if it was interrupted (a resume checkpoint is written)."""
    trim_log(trainer)
    start, before = time.monotonic(), trainer.position.seconds
    with Trackers(trainer.run.trackers, trainer.experiment, trainer.folder, trainer.session.main) as trackers:
        while trainer.position.epoch < trainer.optim.epochs and not trainer.out_of_steps:
            row = trainer.epoch()
            trainer.position.seconds = before + time.monotonic() - start
            if trainer.session.any(trainer.stopped) and trainer.position.step < trainer.steps_per_epoch:
                trainer.save()
                return False
            finish_epoch(trainer, row, trackers)
            if trainer.session.any(trainer.stopped) and trainer.position.epoch < trainer.optim.epochs:
                trainer.save()
                return False
    return True


def trim_log(trainer: Trainer) -> None:
    """Drop the log lines of epochs that the resume checkpoint does not know (killed between the two)."""
    path = trainer.folder / LOG
    if trainer.session.main and path.is_file():
        write_text(path, log_until(path, trainer.position.epoch))


def finish(trainer: Trainer) -> dict[str, Any]:
    """Save the last model, score the selected one on ``run.split`` and write results and pictures."""
    trainer.keep("last", trainer.position.epoch)
    choice = {"select_on": trainer.run.select_on.value, "epoch": trainer.position.epoch}
    if trainer.run.select_on is not SelectOn.last:
        choice["epoch"] = (trainer.position.best_epoch or 0) + 1
    if trainer.session.main:
        write_json(trainer.folder / SELECTED, choice)
    trainer.session.accelerator.wait_for_everyone()
    if trainer.run.select_on is not SelectOn.last:
        trainer.average = None
        trainer.model.load_state_dict(read_weights(trainer.folder / "checkpoints" / "best" / WEIGHTS))
    evaluation = trainer.score(trainer.run.split)
    protocol = {"split": trainer.run.split, **choice, "epochs": trainer.position.epoch, **trainer.task.protocol()}
    results = results_of(
        trainer.session,
        trainer.experiment,
        trainer.model,
        trainer.data,
        trained_on(trainer.folder),
        evaluation.metrics,
        evaluation.samples,
        protocol,
        wall_seconds=round(trainer.position.seconds, 1),
        **measured(trainer.session, trainer.experiment, trainer.model, trainer.data, trainer.task),
    )
    if trainer.session.main:
        write_results(trainer.folder, results, evaluation.records)
        trainer.task.files(trainer.folder, results, evaluation.records)
        print_metrics(trainer.session, results)
        if trainer.run.pictures:
            trainer.task.report(trainer.folder, results, evaluation.records, trainer.data)
        trainer.session.console.print(marked(f"written to {trainer.folder}"))
    trainer.session.accelerator.wait_for_everyone()
    return results


@contextmanager
def interruptible(trainer: Trainer) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop after the step at hand; a second Ctrl-C stops at once."""
    told = 0.0

    def stop(number: int, _frame: object) -> None:
        nonlocal told
        if trainer.stopped and time.monotonic() - told > ECHO:
            raise KeyboardInterrupt
        if not trainer.stopped:
            told, trainer.stopped = time.monotonic(), True
            if number == signal.SIGINT or trainer.session.world == 1:  # else a launcher's, perhaps as another died
                trainer.session.console.print(f"\n{signal.Signals(number).name}: stopping after this step")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def train(experiment: ExperimentConfig, folder: Path | None = None) -> dict[str, Any]:
    """Train an experiment, or go on with the run in ``folder``; returns the results.

    Raises:
        TrainingError: loss or gradients are not finite, or the data can no longer be read.
        ConfigError: something cannot be meant; found before data are generated, ordered or cached.
        RunBusyError: another process trains this run.
        SystemExit: interrupted (code 130); the message says how to go on.
    """
    if folder is not None:
        check_same(experiment, folder)
    if folder is not None and (folder / RESULTS).is_file():
        results = read_results(folder / RESULTS)
        print(line(f"{folder} is finished: {results['metrics']}. Start a new run from its config.yaml to train again"))
        return results
    with RunLock() as lock, together() as fellows:
        trainer = Trainer(experiment, folder, lock)
        fellows.way_on = trainer.way_on
        with kept(trainer):
            return _train(trainer)


def check_same(experiment: ExperimentConfig, folder: Path) -> None:
    """Refuse to go on with a run as another one than it began.

    Raises:
        ConfigError: the model's parts or the seed are not those in the run's config.
    """
    if not (folder / CONFIG).is_file():
        return
    before, now = _identity(read_values(folder / CONFIG)), _identity(plain(experiment))
    for key in (key for key in before if key in now):
        if before[key] != now[key]:
            raise ConfigError(
                f"{folder} was trained with {key}={before[key]}, not {now[key]}: a run that goes on keeps its encoder, "
                f"block, bridge, head and seed. Start a run of its own: {command('train')} EXPERIMENT "
                f"{key}={now[key]}"
            )


def _identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Seed, chosen options and values of the model's parts in a config, by key, but for what a run may change."""
    parts = {part: config.get(part) for part in PARTS}
    values = {
        f"{part}.{key}": value
        for part, inner in parts.items()
        if isinstance(inner, Mapping)
        for key, value in inner.items()
        if f"{part}.{key}" not in FREE
    }
    choices = config.get("choices")
    chosen = {part: choices[part] for part in PARTS if part in choices} if isinstance(choices, Mapping) else {}
    return {"seed": config.get("seed"), **chosen, **values}


@contextmanager
def kept(trainer: Trainer) -> Iterator[None]:
    """What ends training early is one message that says what is kept and how to go on.

    Data that is gone and disks that fail are met here, wherever they are noticed: OSError becomes TrainingError.
    """
    try:
        yield
    except UserError as error:
        error.add_note(trainer.way_on())
        raise
    except OSError as error:
        text = f"training stopped: {said_of(error)}"
        named = DiskFullError(error.errno, text) if error.errno in FULL else TrainingError(text)
        for note in (*getattr(error, "__notes__", ()), trainer.way_on()):
            named.add_note(note)
        raise named from error


def _train(trainer: Trainer) -> dict[str, Any]:
    experiment = trainer.experiment
    if trainer.session.main:
        write_text(trainer.folder / CONFIG, to_yaml(experiment, f"{command('train')} <this file>"))
    told = said({**data_facts(trainer.data, experiment.data), "trained_on": trainer.trained_on})
    announce(trainer.session, experiment, trainer.model, trainer.folder, told, trainer.optim.chosen)
    if trainer.position.steps:
        trainer.session.console.print(f"going on after epoch {trainer.position.epoch}, step {trainer.position.step}")
    with interruptible(trainer):
        done = fit(trainer)
    if not done:
        trainer.session.console.print(marked(f"interrupted; go on with: {command('train')} {trainer.folder}"))
        raise SystemExit(130)
    return finish(trainer)
