"""Optional logging to TensorBoard and Weights & Biases, imported only when asked for."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from geo_lm4ve.config import plain
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError


class Trackers:
    """The trackers named in ``run.trackers``; use as a context manager."""

    def __init__(self, names: list[str], experiment: ExperimentConfig, folder: Path, enabled: bool):
        self.writer: Any = None
        self.wandb: Any = None
        if enabled and "tensorboard" in names:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise UserError('run.trackers=[tensorboard] needs: pip install "geo_lm4ve[log]"') from error
            self.writer = SummaryWriter(str(folder / "tensorboard"))
        if enabled and "wandb" in names:
            try:
                import wandb
            except ImportError as error:
                raise UserError('run.trackers=[wandb] needs: pip install "geo_lm4ve[log]"') from error
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
