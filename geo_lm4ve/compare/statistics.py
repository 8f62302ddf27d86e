"""Means over seeds, and how sure a difference between two of them is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Cell:
    """A metric over seeds.

    Attributes:
        values: seed -> value.
    """

    values: Mapping[int | None, float]

    @property
    def count(self) -> int:
        """Number of seeds n."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """Arithmetic mean."""
        return math.fsum(self.values.values()) / self.count

    @property
    def std(self) -> float | None:
        """Sample standard deviation (n - 1); None for a single seed."""
        return _sample_std(list(self.values.values()))


@dataclass(frozen=True)
class Difference:
    """How much a row differs from the baseline in one metric.

    Attributes:
        value: mean of the row minus mean of the baseline.
        error: standard error of ``value``; None where a row has a single seed.
        kind: ``paired`` (same seeds in both: differences seed by seed) or ``Welch`` (independent, unequal variances).
        low, high: 95 % interval of ``value`` under the t distribution; None without ``error``.
    """

    value: float
    error: float | None
    kind: str
    low: float | None = None
    high: float | None = None


def difference(row: Cell, baseline: Cell) -> Difference:
    """Row minus baseline with standard error and 95 % interval; paired where both have exactly the same seeds."""
    if row.values.keys() == baseline.values.keys() and None not in row.values:
        return _paired([row.values[seed] - baseline.values[seed] for seed in row.values])
    return _welch(row, baseline)


def _paired(differences: Sequence[float]) -> Difference:
    value = math.fsum(differences) / len(differences)
    std = _sample_std(differences)
    if std is None:
        return Difference(value, None, "paired")
    return _with_interval(value, std / math.sqrt(len(differences)), "paired", len(differences) - 1)


def _welch(row: Cell, baseline: Cell) -> Difference:
    value = row.mean - baseline.mean
    if row.std is None or baseline.std is None:
        return Difference(value, None, "Welch")
    first, second = row.std**2 / row.count, baseline.std**2 / baseline.count
    # Welch and Satterthwaite's degrees of freedom; without any spread they do not matter.
    spread = first**2 / (row.count - 1) + second**2 / (baseline.count - 1)
    freedom = (first + second) ** 2 / spread if spread else 1.0
    return _with_interval(value, math.sqrt(first + second), "Welch", freedom)


def _with_interval(value: float, error: float, kind: str, freedom: float) -> Difference:
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Difference(value, error, kind, value - reach, value + reach)


def _sample_std(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
