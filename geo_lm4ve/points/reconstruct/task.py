"""Masked point modelling: Chamfer distance between hidden groups and what a decoder took them for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.geometry.chamfer import chamfer_l2
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.parts.task import Loss, Metrics, Record, Task, TaskConfig
from geo_lm4ve.points.heads.mask_decoder import Reconstruction
from geo_lm4ve.reading import Fields


@register("task", "reconstruct")
@dataclass
class ReconstructConfig(TaskConfig):
    """Reconstruction of hidden groups, Point-MAE's pre-training; labels are not used.

    Attributes:
        points: points that are predicted for every hidden group; the distance does not ask for as many as the encoder's
            groups have, the published model has as many (32).
        shown: how many clouds of the test split the report shows at most, evenly spread; their points are in
            ``predictions.jsonl``.
    """

    scores: ClassVar[type | None] = Reconstruction

    name: str = "reconstruct"
    points: int = 32
    shown: int = 12

    def __post_init__(self) -> None:
        """Check the values; raises ConfigError."""
        for key in ("points", "shown"):
            if getattr(self, key) < 1:
                raise ConfigError(f"task.{key} must be at least 1, not {getattr(self, key)}")

    def build(self, data: DataSource) -> Reconstruct:
        """The task for any clouds."""
        return Reconstruct(self, data.info.counts)


class Reconstruct(Task):
    """See ReconstructConfig.

    Attributes:
        stride: every so many-th row of a split is kept whole, to be drawn.
    """

    primary = "chamfer_l2_x1000"
    higher_is_better = False

    def __init__(self, config: ReconstructConfig, counts: Mapping[str, int]):
        self.outputs = config.points
        self.stride = max(1, math.ceil(counts.get("test", 0) / config.shown))

    def loss(self, output: Reconstruction, batch: Any) -> Loss:
        """Chamfer distance of squared distances, the mean over all hidden groups."""
        return Loss(distances(output).mean())

    def metrics(self) -> ReconstructMetrics:
        """The distance, and that of a prediction which knows nothing."""
        return ReconstructMetrics()

    def records(self, output: Reconstruction, batch: Any) -> list[Record]:
        """Row and distance of each sample; of some also the visible and the predicted points (3 decimals)."""
        rows = zip(batch.index.tolist(), (1000 * distances(output).double().mean(1)).tolist())
        records: list[Record] = [{"index": index, self.primary: round(distance, 6)} for index, distance in rows]
        predicted = (output.predicted + output.centers[:, :, None]).flatten(1, 2)
        for place, record in enumerate(records):
            if record["index"] % self.stride == 0:
                record |= {"visible": _rounded(output.visible[place]), "predicted": _rounded(predicted[place])}
        return records

    def protocol(self) -> dict[str, Any]:
        """Which groups are hidden changes what a distance means."""
        return {"masks": "fixed by row"}

    def check_records(self, records: Sequence[Record]) -> None:
        """See Task.check_records: distances are numbers, points are triples of numbers."""
        for record in records:
            fields = Fields(record, f"sample {record['index']}: ")
            if not isinstance(fields[self.primary], int | float):
                raise ValueError(f"{fields.prefix}{self.primary} is no number")
            for key in record.keys() & {"visible", "predicted"}:
                if not _is_cloud(record[key]):
                    raise ValueError(f"{fields.prefix}{key} is not a list of points of three numbers")

    def report(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
        """Pictures of input, visible part and reconstruction, training curves, and one HTML page."""
        from geo_lm4ve.points.reconstruct.report import write_report

        write_report(folder, results, records, data)


class ReconstructMetrics(Metrics):
    """Summed Chamfer distances."""

    def __init__(self) -> None:
        self.sums = torch.zeros(3, dtype=torch.float64)

    def update(self, output: Reconstruction, batch: Any) -> None:
        """Add the distances of a batch."""
        found = distances(output).double().mean(1)
        centers = chamfer_l2(torch.zeros_like(output.hidden.flatten(0, 1)[:, :1]), output.hidden.flatten(0, 1)).double()
        sums = [found.sum(), centers.sum() * len(found) / len(centers), found.new_tensor(len(found))]
        self.sums += torch.stack(sums).cpu()

    def state(self) -> dict[str, Tensor]:
        """The sums."""
        return {"sums": self.sums}

    def compute(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """Thousandths of the squared unit: the mean distance, and that of the groups' centers in place of points."""
        found, centers, samples = state["sums"].tolist()
        return {
            "chamfer_l2_x1000": 1000 * found / max(samples, 1),
            "centers_chamfer_l2_x1000": 1000 * centers / max(samples, 1),
        }


def distances(output: Reconstruction) -> Float[Tensor, "b h"]:
    """Chamfer distance of every hidden group, in float32 at least."""
    wide = torch.promote_types(output.predicted.dtype, torch.float32)
    predicted, hidden = output.predicted.to(wide), output.hidden.to(wide)
    return chamfer_l2(predicted.flatten(0, 1), hidden.flatten(0, 1)).unflatten(0, predicted.shape[:2])


def _rounded(points: Float[Tensor, "n 3"]) -> list[list[float]]:
    return [[round(value, 3) for value in point] for point in points.float().tolist()]


def _is_cloud(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(point, list) and len(point) == 3 and all(isinstance(number, int | float) for number in point)
        for point in value
    )
