"""Optional logging to TensorBoard and Weights & Biases, imported only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from geo_lm4ve.config import plain
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError


def check_trackers(names: Sequence[str]) -> None:
    """UserError for a tracker whose package, which is named like it, is not installed."""
    for name in names:
        if find_spec(name) is None:
            raise UserError(f'run.trackers=[{name}] needs: pip install "geo_lm4ve[log]"')


class Trackers:
    """The trackers named in ``run.trackers`` (``check_trackers`` has looked); use as a context manager."""

    def __init__(self, names: list[str], experiment: ExperimentConfig, folder: Path, enabled: bool):
        self.writer: Any = None
        self.wandb: Any = None
        if enabled and "tensorboard" in names:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(folder / "tensorboard"))
        if enabled and "wandb" in names:
            import wandb

            self.wandb = wandb.init(
                project="geo_lm4ve", name=f"{experiment.name}/{folder.name}", dir=str(folder), config=plain(experiment)
            )

    def __enter__(self) -> Trackers:
        """Ready to log."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flush and close."""
        if self.writer is not None:
            self.writer.close()
        if self.wandb is not None:
            self.wandb.finish(exit_code=0 if kind is None else 1)

    def log(self, row: dict[str, Any]) -> None:
        """One row of ``metrics.jsonl``."""
        if self.writer is not None:
            for key, value in row.items():
                self.writer.add_scalar(key, value, row["epoch"])
        if self.wandb is not None:
            self.wandb.log(row, step=row["step"])
