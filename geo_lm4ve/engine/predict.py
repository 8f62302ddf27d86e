"""Prediction for files of one's own, some at a time, where and in the precision in which the run computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from geo_lm4ve.engine.session import Session
from geo_lm4ve.engine.weights import begin_evaluation
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.parts.own_files import OwnFiles
from geo_lm4ve.progress import Meter
from geo_lm4ve.words import line

BATCH = 32
"""Files at a time: no more of them are in memory."""

Take = Callable[[Sequence[Path], Any, Any], None]
"""Keeps what is wanted of some files, given their batch (on the host) and the model's output for it."""


@torch.no_grad()
def predict_files(
    experiment: ExperimentConfig,
    folder: Path | None,
    outputs: int,
    given: Sequence[Path],
    take: Take,
    own: OwnFiles | None = None,
) -> list[str]:
    """Predict files and those in folders, in their order; files that cannot be read do not end it, nor does Ctrl-C.

    Args:
        experiment: its ``data`` part says how a file becomes a sample, its ``run`` part where to compute.
        folder: run folder with the trained weights; None: an experiment that needs none.
        outputs: of the model.
        given: files and folders.
        take: called with what was read.
        own: how a file becomes a sample; None: as ``data`` has it.

    Returns:
        "place: reason" of all that was left out.

    Raises:
        DataError: nothing was given, or nothing of it can be read.
    """
    if not given:
        raise DataError("no files to predict were given")
    own, session = own or experiment.data.own(), Session(experiment.run)
    model = begin_evaluation(experiment, folder).model(outputs)[0].eval().to(session.device)
    found = own.find(given)
    left_out, taken, done = list(found.left_out), 0, 0
    _say(found.remark())
    with Meter("predict", len(found.files), unit="files") as meter:
        try:
            for start in range(0, len(found.files), BATCH):
                chunk = found.files[start : start + BATCH]
                samples = _read(own, chunk, left_out, meter)
                if samples:
                    batch = own.batch(list(samples.values()))
                    with session.accelerator.autocast():
                        output = model(batch.to(session.device))
                    take(list(samples), batch, output)
                    taken += len(samples)
                done += len(chunk)
        except KeyboardInterrupt:
            if not taken:
                raise
            left_out.append(f"stopped by Ctrl-C: {len(found.files) - done:,} files were not predicted")
    _say(own.remark())
    if not taken:
        reasons = "\n".join(map(line, left_out))
        raise DataError(f"nothing can be predicted, for these reasons:\n{reasons}")
    return left_out


def _say(text: str) -> None:
    if text:
        say(text)


def _read(own: OwnFiles, files: Sequence[Path], left_out: list[str], meter: Meter) -> dict[Path, Any]:
    """The samples of the files that can be read; the reasons of the others are added to ``left_out``."""
    samples = {}
    for path in files:
        try:
            samples[path] = own.sample(path)
        except UserError as error:
            text = str(error)
            left_out.append(text if str(path) in text else f"{path}: {text}")
        meter.advance(1, f"{len(left_out):,} left out" if left_out else "")
    return samples
