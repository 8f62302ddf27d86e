"""The state of one training run and what happens in one step and one epoch of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.checkpoint import RESUME, Position, load_resume, open_resume, save_resume
from geo_lm4ve.engine.evaluate import Evaluation, evaluate_split
from geo_lm4ve.engine.lock import RunLock
from geo_lm4ve.engine.optim import WeightAverage, set_learning_rates, set_norm_momentum
from geo_lm4ve.engine.provenance import training_record
from geo_lm4ve.engine.session import Session, greet
from geo_lm4ve.engine.step_mean import StepMean
from geo_lm4ve.engine.trackers import check_trackers
from geo_lm4ve.engine.weights import begin
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.invocation import command
from geo_lm4ve.layers.batch_norm import synchronise
from geo_lm4ve.parts.data import Batch
from geo_lm4ve.progress import Meter
from geo_lm4ve.run_files import TRAINING


class TrainingError(UserError, RuntimeError):
    """Training cannot go on; the last good checkpoint is kept."""


class Trainer:
    """One run: everything that ``train`` needs between its steps."""

    def __init__(self, experiment: ExperimentConfig, folder: Path | None = None, lock: RunLock | None = None):
        self.experiment, self.run, self.optim = experiment, experiment.run, experiment.optim
        self.session = Session(self.run, self.optim.accumulate)
        greet(self.session, experiment)
        if lock is not None and folder is not None:
            lock.take(self.session, folder)
        self.check_settings()
        torch.manual_seed(experiment.seed)
        begun = begin(experiment, self.run.init_from if folder is None else None, start=True)
        extra: dict[str, Any] = {}
        if folder is not None and (folder / RESUME).is_file():
            extra = open_resume(folder, begun.backbone)
        self.data = self.session.build_data(experiment.data)
        self.task = experiment.task.build(self.data)
        counts = self.data.info.counts
        self.run.check_splits(self.data.info.title, (split for split in counts if counts[split]), selects=True)
        self.model, _ = begun.model(self.task.outputs)
        self.model.classes = tuple(self.task.classes)
        self.optimizer = self.optim.build(
            self.model,
            bridge_lr_scale=experiment.bridge.lr_scale,
            bridge_weight_decay=experiment.bridge.weight_decay,
        )
        self.position = Position()
        if folder is not None and extra:
            self.position = load_resume(folder, extra, self.model, self.optimizer)
            if not self.session.main:  # the sums of all processes go on in the main one
                self.position.sums = dict.fromkeys(self.position.sums, 0.0)
        self.trained_on = training_record(experiment, self.data, extra.get("trained_on"))
        self.folder = folder or self.session.new_folder(experiment, self.run.root)
        if lock is not None and folder is None:
            lock.take(self.session, self.folder)
        self.prepare(extra)
        self.stopped = False

    def check_settings(self) -> None:
        """Refuse what needs neither model nor data to be seen."""
        data = self.experiment.data
        self.run.check_splits(f"data={data.name}", data.splits(), selects=True)
        self.optim.micro_batch(self.session.world)
        check_trackers(self.run.trackers)
        data.look()
        self.experiment.encoder.look(data)

    def prepare(self, extra: dict[str, Any]) -> None:
        """Move to the device, wrap for distribution, make the loader and the weight average."""
        accelerator = self.session.accelerator
        if self.session.world > 1:
            synchronise(self.model, self.session.device)
        self.plain_optimizer = self.optimizer
        self.wrapped, self.optimizer = accelerator.prepare(self.model, self.optimizer)
        self.mean = StepMean(self.session, self.optim.accumulate)
        self.loader = self.data.loader(
            "train", batch_size=self.optim.micro_batch(self.session.world), train=True, seed=self.experiment.seed,
            rank=self.session.rank, world=self.session.world,
        )  # fmt: skip
        self.steps_per_epoch = len(self.loader) // self.optim.accumulate
        if self.steps_per_epoch == 0:
            raise ConfigError(
                f"optim.batch_size={self.optim.batch_size} is larger than the training split "
                f"({self.loader.samples} samples); make it smaller"
            )
        self.average = WeightAverage(self.model, self.optim.ema_decay) if self.optim.ema_decay else None
        if self.average is not None and "average" in extra:
            self.average.state = {key: value.to(self.session.device) for key, value in extra["average"].items()}
        if accelerator.scaler is not None and "scaler" in extra:
            accelerator.scaler.load_state_dict(extra["scaler"])

    def save(self) -> None:
        """Write the resume checkpoint (main process; all have to call)."""
        position = replace(self.position, sums=self.sums())
        if self.session.main:
            extra: dict[str, Any] = {"trained_on": self.trained_on}
            if self.average is not None:
                extra["average"] = self.average.state
            if self.session.accelerator.scaler is not None:
                extra["scaler"] = self.session.accelerator.scaler.state_dict()
            save_resume(self.folder, self.model, self.plain_optimizer, position, extra)
        self.session.accelerator.wait_for_everyone()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights, if there is an average."""
        if self.average is None:
            yield
            return
        own = {key: value.detach().clone() for key, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average.state)
        try:
            yield
        finally:
            self.model.load_state_dict(own)

    def step(self, batch: Batch) -> float:
        """Forward, backward and (at the end of an accumulation) an optimiser step; returns this batch's loss."""
        accelerator = self.session.accelerator
        with accelerator.accumulate(self.wrapped):
            with accelerator.autocast():
                loss = self.task.loss(self.wrapped(batch), batch)
            accelerator.backward(self.mean.add(loss, len(batch)))
            norm = loss.total.detach()
            if accelerator.sync_gradients:
                self.add_to_sums(self.mean.finish(self.wrapped.parameters()))
                norm = accelerator.clip_grad_norm_(self.wrapped.parameters(), self.optim.clip_norm or math.inf)
                if self.optim.clip_value:
                    accelerator.clip_grad_value_(self.wrapped.parameters(), self.optim.clip_value)
            finite = bool(torch.isfinite(loss.total)) and (accelerator.scaler is not None or bool(torch.isfinite(norm)))
            if self.session.any(not finite):
                raise self.not_finite(batch, loss.total.item(), float(norm))
            self.optimizer.step()
            self.optimizer.zero_grad()
        return loss.total.item()

    def add_to_sums(self, means: dict[str, float]) -> None:
        """Count a step's loss and parts towards the means of the epoch."""
        for key, value in means.items():
            self.position.sums[key] = self.position.sums.get(key, 0.0) + value

    def not_finite(self, batch: Batch, loss: float, norm: float) -> TrainingError:
        """The error for a loss or gradient that is not finite: names the batch of all processes and the way on."""
        index = getattr(batch, "index", None)
        batches = self.session.gather([(loss, "unknown" if index is None else index.tolist())])
        shown = ", ".join(f"loss {own}" for own, _ in batches)
        rows = " and ".join(str(own) for _, own in batches)
        return TrainingError(
            f"{shown} / gradient norm {norm} at epoch {self.position.epoch + 1}, step {self.position.step + 1} "
            f"(training rows {rows}). Lower optim.lr, set optim.clip_norm, use run.precision=bf16 instead of fp16, or "
            "look at these rows"
        )

    def way_on(self) -> str:
        """What is kept of a run that breaks off, and how it goes on."""
        way = f"{command('train')} {self.folder}" + (", launched as before" if self.session.world > 1 else "")
        if (self.folder / RESUME).is_file():
            return f"what was trained is kept; go on with: {way}"
        return f"no checkpoint was written yet (run.checkpoint_steps=N writes one every N steps); start with: {way}"

    def seed_step(self) -> None:
        """Dropout and drop path of a step depend on (seed, step, process) alone, so a resumed run repeats them."""
        torch.manual_seed((self.experiment.seed * 1_000_003 + self.position.steps) * 4_099 + self.session.rank)

    def epoch(self) -> dict[str, float]:
        """Train the rest of the epoch at hand; returns the mean of loss and parts, learning rate and speed."""
        position, accumulate = self.position, self.optim.accumulate
        self.wrapped.train()
        set_norm_momentum(self.wrapped, self.optim, position.epoch)
        share = self.optim.batch_size // accumulate
        label = f"epoch {position.epoch + 1}/{self.optim.epochs}"
        total = self.steps_per_epoch * self.optim.batch_size
        batches = self.loader.batches(position.epoch, start=position.step * accumulate)
        rate = max(group["lr"] for group in self.optimizer.param_groups)  # a checkpoint may stand behind the last step
        with Meter(label, total, quiet=not self.session.main, done=position.step * self.optim.batch_size) as meter:
            for count, batch in enumerate(batches, start=1):
                if position.step == self.steps_per_epoch:
                    break
                if count % accumulate == 1 or accumulate == 1:
                    rate = self.begin_step()
                loss = self.step(batch.to(self.session.device))
                meter.advance(share, f"loss {loss:.3f}")
                if count % accumulate == 0 and self.end_step():
                    break
            speed = meter.rate
        return {**self.means(), "lr": rate, "samples_per_second": round(speed, 1)}

    def begin_step(self) -> float:
        """Seed and learning rate of the coming optimiser step."""
        self.seed_step()
        position = self.position
        moment = position.epoch + (position.step / self.steps_per_epoch if self.optim.per_step else 0.0)
        return set_learning_rates(self.optimizer, self.optim, moment)

    def end_step(self) -> bool:
        """Count the step, average weights, write a checkpoint if due; True if training must stop here."""
        position = self.position
        position.step += 1
        position.steps += 1
        if self.average is not None:
            self.average.update(self.model)
        if self.session.any(self.stopped):
            return True
        if self.run.checkpoint_steps and position.steps % self.run.checkpoint_steps == 0:
            self.save()
        return position.steps == self.run.max_steps

    def means(self) -> dict[str, float]:
        """Mean of loss and parts over this epoch's steps."""
        steps = max(self.position.step, 1)
        return {key: value / steps for key, value in self.sums().items()}

    def sums(self) -> dict[str, float]:
        """Sums of loss and parts over this epoch's steps, whatever processes they were spread over."""
        own = {key: torch.tensor(value, dtype=torch.float64) for key, value in self.position.sums.items()}
        return {key: value.item() for key, value in self.session.sum(own).items()}

    def score(self, split: str) -> Evaluation:
        """Evaluate the (averaged) model on a split."""
        with self.averaged():
            return evaluate_split(
                self.session, self.model, self.data, self.task, split, seed=self.experiment.seed,
                batch_size=self.optim.micro_batch(self.session.world),
            )  # fmt: skip

    def keep(self, name: str, epochs: int) -> None:
        """Save the (averaged) model as ``checkpoints/<name>``, with what it was trained on in ``epochs`` epochs."""
        folder = self.folder / "checkpoints" / name
        if self.session.main:
            with self.averaged():
                self.model.save_pretrained(folder)
            write_json(folder / TRAINING, {**self.trained_on, "epoch": epochs})

    @property
    def out_of_steps(self) -> bool:
        """True when ``run.max_steps`` is reached."""
        return self.run.max_steps is not None and self.position.steps >= self.run.max_steps
