"""Forecasting metrics accumulated over batches and processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.traffic.metrics.forecasting import flat_name, forecast_metrics, metric_names
from geo_lm4ve.traffic.protocol import Protocol


class ForecastMetric:
    """Mean over all scenes of every metric of a protocol, for several K.

    The state is sums in float64 and a count, so that processes add up exactly.

    Args:
        protocol: whose definitions.
        ks: the numbers of guesses, e.g. (1, 6).
    """

    def __init__(self, protocol: Protocol, ks: Sequence[int] = (1, 6)):
        self.protocol, self.ks = protocol, tuple(ks)
        self.names = [flat_name(name, k) for k in self.ks for name in metric_names(protocol)]
        self.sums = torch.zeros(len(self.names), dtype=torch.float64)
        self.scenes = torch.zeros((), dtype=torch.int64)

    def update(
        self, positions: Float[Tensor, "s n f 2"], truth: Float[Tensor, "s f 2"], probabilities: Float[Tensor, "s n"]
    ) -> None:
        """Add a batch of scenes; ForecastError as ``forecast_metrics``."""
        values: list[Tensor] = []
        for k in self.ks:
            scored = forecast_metrics(positions, truth, probabilities, protocol=self.protocol, k=k)
            values += [scored[name] for name in metric_names(self.protocol)]
        self.sums += torch.stack(values).to(self.sums).sum(1)
        self.scenes += len(truth)

    def compute(self) -> dict[str, float]:
        """``minADE_6``, ... -> mean over the scenes seen (NaN before the first)."""
        return self.means(self.state())

    def state(self) -> dict[str, Tensor]:
        """``sums`` and ``scenes``: states of batches or processes are added up."""
        return {"sums": self.sums, "scenes": self.scenes}

    def means(self, state: Mapping[str, Tensor]) -> dict[str, float]:
        """The same out of a state (``sums``, ``scenes``) that was added up elsewhere."""
        scenes = int(state["scenes"])
        sums = state["sums"].tolist()
        return {name: value / scenes if scenes else float("nan") for name, value in zip(self.names, sums)}
