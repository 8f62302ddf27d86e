"""Motion forecasting: where the target agent of a traffic scene will go, scored by the rules of Argoverse 1 or 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.parts.data import DataError, DataSource
from geo_lm4ve.parts.task import Answers, Loss, Metrics, Record, Task, TaskConfig
from geo_lm4ve.traffic.batch import SceneBatch, SceneInfo
from geo_lm4ve.traffic.forecast.records import KS, check_records, forecast_records
from geo_lm4ve.traffic.heads.trajectories import Trajectories
from geo_lm4ve.traffic.heads.trajectory_loss import trajectory_loss
from geo_lm4ve.traffic.metrics.accumulator import ForecastMetric
from geo_lm4ve.traffic.metrics.displacement import average_displacement, final_displacement
from geo_lm4ve.traffic.metrics.drivable_area import drivable_area_compliance
from geo_lm4ve.traffic.metrics.forecasting import flat_name
from geo_lm4ve.traffic.metrics.table import Truth, scene_table
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.source import SceneSource


@register("task", "forecast")
@dataclass
class ForecastConfig(TaskConfig):
    """Forecast the target agents of traffic scenes.

    Attributes:
        protocol: whose metrics; None: those of the data set.
        targets_only: train on the target agents alone, not on all agents with a known future.
        drivable_area: compute drivable area compliance (DAC) where the data set has drivable areas. Argoverse 1 keeps
            one raster per city; in Argoverse 2 every scenario's map is read for it (some 10 ms each).
        pictures: scenes in the HTML page.
    """

    scores: ClassVar[type | None] = Trajectories

    name: str = "forecast"
    protocol: Protocol | None = None
    targets_only: bool = False
    drivable_area: bool = True
    pictures: int = 60

    def build(self, data: DataSource) -> Forecast:
        """The task for a source of traffic scenes."""
        if not isinstance(data, SceneSource) or not isinstance(data.info, SceneInfo):
            raise ConfigError(
                f"task=forecast needs a data set of traffic scenes; {data.info.title} is none: choose another data= or "
                "task=, or write a Layout for scenes of your own (traffic/layout.py)"
            )
        return Forecast(self, data, data.info)

    def predict(
        self, experiment: Any, folder: Path | None, files: Sequence[Path], *, top: int, out: Path | None
    ) -> Answers:
        """See TaskConfig.predict: submission file and ``scenes.html``; ``out`` is a folder, by default forecasts/."""
        from geo_lm4ve.traffic.forecast.predict import answers

        return answers(experiment, folder, files, top, out or Path("forecasts"))

    def show(self, experiment: Any, folder: Path, out: Path, *, activation: str, probe: str, count: int) -> list[Path]:
        """See TaskConfig.show: ``activation.html``, agents and lanes coloured over the maps."""
        from geo_lm4ve.traffic.forecast.activation import Probe, activation_page

        page = out / "activation.html"
        activation_page(experiment, folder, page, probe=Probe(probe), kind=activation, count=count)
        return [page]


class Forecast(Task):
    """See ForecastConfig; the head's outputs are the future frames."""

    primary = "minFDE_6"
    higher_is_better = False

    def __init__(self, config: ForecastConfig, data: SceneSource, info: SceneInfo):
        self.config, self.data, self.layout = config, data, data.config.layout
        self.outputs = info.future
        self.rules = config.protocol or self.layout.protocol

    def loss(self, output: Trajectories, batch: SceneBatch) -> Loss:
        """Winner takes all over the modes of all agents (``heads/trajectory_loss.py``)."""
        if output.agents is None:
            raise ConfigError("this head has nothing to train; score it with tools/evaluate.py")
        agents = batch.graph["agent"]
        valid = agents.future_valid & agents.is_target[:, None] if self.config.targets_only else agents.future_valid
        loss = trajectory_loss(output.agents, agents.future, valid)
        parts = {"modes": loss.modes.detach(), "scores": loss.scores.detach()}
        if loss.single is not None:
            parts["single"] = loss.single.detach()
        return Loss(loss.total, parts, weight=loss.agents)

    def metrics(self) -> ForecastMetrics:
        """The protocol's metrics for K = 1 and 6."""
        return ForecastMetrics(self)

    def records(self, output: Trajectories, batch: SceneBatch) -> list[Record]:
        """Conditions, metrics and forecasts of each scene, in city coordinates."""
        positions = output.positions.detach().cpu().double().numpy()
        probabilities = output.probabilities.detach().cpu().double().numpy()
        table = scene_table(truth_of(batch), positions, probabilities, protocol=self.rules, ks=KS)
        city = batch.to_city(output.positions).numpy()
        if (compliance := self.compliance(city, batch)) is not None:
            table |= {flat_name("DAC", k): values.tolist() for k, values in compliance.items()}
        return forecast_records(table, batch.index.tolist(), probabilities, city)

    def compliance(self, city: NDArray[np.float64], batch: SceneBatch) -> dict[int, NDArray[np.float64]] | None:
        """DAC of each scene for every K, or None where it is not wanted or a drivable area is not known."""
        if not self.config.drivable_area:
            return None
        found = [self.data.surface(scene, town) for scene, town in zip(batch.scene_id, batch.city)]
        areas = [area for area in found if area is not None]
        if len(areas) < len(found):
            return None
        return {k: drivable_area_compliance(city, areas, k=k) for k in KS}

    def protocol(self) -> dict[str, Any]:
        """Whose definitions."""
        return {"protocol": self.rules.value}

    def files(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record]) -> list[Path]:
        """Submission file, scores with breakdown, per-scene table."""
        from geo_lm4ve.traffic.forecast.report import write_files

        return write_files(folder, results, records, self.layout, self.rules)

    def check_records(self, records: Sequence[Record]) -> None:
        """See Task.check_records."""
        check_records(records, self.outputs)

    def report(self, folder: Path, results: Mapping[str, Any], records: Sequence[Record], data: DataSource) -> None:
        """Pictures and pages."""
        from geo_lm4ve.traffic.forecast.report import write_report

        write_report(folder, results, records, self.data, self.layout, self.rules, self.config.pictures)


class ForecastMetrics(Metrics):
    """Sums of the protocol's metrics, of DAC, of the loss and of the errors of a decoder without modes."""

    def __init__(self, task: Forecast):
        self.task = task
        self.metric = ForecastMetric(task.rules, KS)
        self.compliance = torch.zeros(len(KS), dtype=torch.float64)
        self.loss = torch.zeros((), dtype=torch.float64)
        self.single = torch.zeros(2, dtype=torch.float64)
        self.counts = torch.zeros(3, dtype=torch.int64)

    def update(self, output: Trajectories, batch: SceneBatch) -> None:
        """Add a batch of forecasts."""
        agents = batch.graph["agent"]
        future = known_future(batch)
        self.metric.update(output.positions.double().cpu(), future, output.probabilities.double().cpu())
        values = self.task.compliance(batch.to_city(output.positions).numpy(), batch)
        if values is not None:
            self.compliance += torch.tensor([values[k].sum() for k in KS])
            self.counts[0] += len(batch)
        if output.agents is not None:
            loss = trajectory_loss(output.agents, agents.future, agents.future_valid)
            self.loss += loss.total.double().cpu() * loss.agents.cpu()
            self.counts[1] += loss.agents.cpu()
        if output.single is not None:
            guess = output.single.double().cpu()[:, None]
            errors = (average_displacement(guess, future), final_displacement(guess, future))
            self.single += torch.stack([error.sum() for error in errors])
            self.counts[2] += len(batch)

    def state(self) -> dict[str, Tensor]:
        """The sums."""
        return {
            **self.metric.state(),
            "compliance": self.compliance,
            "loss": self.loss,
            "single": self.single,
            "counts": self.counts,
        }

    def compute(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """``minADE_1`` ... ``brier-minFDE_6``; ``DAC_K`` if known for all scenes; ``loss`` per agent of a head that
        trains.

        ``single_ADE`` and ``single_FDE`` of a head with a decoder that knows no modes: another answer to K = 1 than the
        most likely mode, which the protocols' own numbers never use.
        """
        values = self.metric.means(state)
        scenes = int(state["scenes"])
        surfaces, trained, single = state["counts"].tolist()  # scenes, agents, scenes
        if surfaces == scenes:
            values |= {flat_name("DAC", k): float(total) / scenes for k, total in zip(KS, state["compliance"].tolist())}
        if single == scenes:
            values |= dict(zip(("single_ADE", "single_FDE"), (state["single"] / scenes).tolist()))
        if trained:
            values["loss"] = float(state["loss"]) / trained
        return values


def known_future(batch: SceneBatch) -> Tensor:
    """(S, F, 2) float64: what the targets did, in their scenes' frames; DataError where it is withheld."""
    agents = batch.graph["agent"]
    known = agents.future_valid[batch.targets].all(1).cpu()
    if not known.all():
        first = batch.scene_id[int((~known).nonzero()[0])]
        raise DataError(
            f"the future of scene {first} is withheld, so forecasts of it cannot be scored; evaluate another split "
            "(run.split=val)"
        )
    return agents.future[batch.targets].cpu().double()


def truth_of(batch: SceneBatch) -> Truth:
    """The targets of a batch, in their scenes' frames; agents counts those that the scenes show."""
    agents = batch.graph["agent"]
    seen = agents.history_valid[:, -1].cpu().long()
    return Truth(
        scenes=batch.scene_id,
        tracks=[ids[0] for ids in batch.agent_ids],
        cities=batch.city,
        history=agents.history[batch.targets].cpu().double().numpy(),
        future=known_future(batch).numpy(),
        agents=torch.zeros(len(batch), dtype=torch.int64).index_add_(0, agents.batch.cpu(), seen).numpy(),
    )
