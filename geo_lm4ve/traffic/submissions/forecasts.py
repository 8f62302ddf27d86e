"""Forecasts: the content of a submission file, whatever its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible


@dataclass(frozen=True)
class Forecasts:
    """K modes for each of N tracks, in city coordinates.

    Attributes:
        scenes: N scene names (Argoverse 1: the sequence number as text; Argoverse 2: the scenario id).
        tracks: N track ids, or None where a scene has one target and the format does not name it (Argoverse 1).
        positions: (N, K, F, 2) metres in the city's frame, one every 0.1 s.
        probabilities: (N, K), or None where the file has none.
    """

    scenes: Sequence[str]
    tracks: Sequence[str] | None
    positions: Float[np.ndarray, "n k f 2"]
    probabilities: Float[np.ndarray, "n k"] | None

    def __post_init__(self) -> None:
        """Check what every reader relies on; raises ForecastError."""
        if len(self.scenes) != len(self.positions) or (self.tracks and len(self.tracks) != len(self.scenes)):
            raise ForecastError(f"{len(self.positions)} forecasts, but {len(self.scenes)} scene names")
        if not self.scenes:
            raise ForecastError("there is no forecast at all")
        repeated = [key for key, count in Counter(self.keys()).items() if count > 1]
        if repeated:
            raise ForecastError(f"{len(repeated)} tracks are forecast twice: {names(map(describe, repeated))}")
        broken = ~np.isfinite(self.positions).all((1, 2, 3))
        if broken.any():
            culprits = [describe(key) for key, bad in zip(self.keys(), broken) if bad]
            raise ForecastError(f"{len(culprits)} forecasts hold positions that are not finite: {names(culprits)}")

    def __len__(self) -> int:
        """Number of tracks N."""
        return len(self.scenes)

    def keys(self) -> list[tuple[str, str]]:
        """(scene, track) of every forecast; the track is empty where the format names none."""
        return list(zip(self.scenes, self.tracks or [""] * len(self.scenes)))

    def rows(self, which: Int64[np.ndarray, " m"]) -> Forecasts:
        """The forecasts of some rows, in that order."""
        return Forecasts(
            [self.scenes[row] for row in which],
            None if self.tracks is None else [self.tracks[row] for row in which],
            self.positions[which],
            None if self.probabilities is None else self.probabilities[which],
        )


def checked(
    scenes: Sequence[str],
    tracks: Sequence[str] | None,
    positions: Float[np.ndarray, "n k f 2"],
    probabilities: Float[np.ndarray, "n k"] | None,
) -> Forecasts:
    """The forecasts of a file, each value of which is looked at; for readers, within their guard.

    Raises:
        ValueError: what Forecasts refuses; a position beyond FARTHEST, a probability that is not finite.
    """
    try:
        forecasts = Forecasts(scenes, tracks, positions, probabilities)
    except ForecastError as fault:  # it cannot say which file
        raise ValueError(str(fault)) from fault
    odd = ~np.all(plausible(positions), axis=(1, 2, 3))
    if odd.any():
        culprits = [describe(key) for key, bad in zip(forecasts.keys(), odd.tolist()) if bad]
        raise ValueError(f"{len(culprits)} forecasts hold positions beyond {FARTHEST:g} m: {names(culprits)}")
    if probabilities is not None and not np.isfinite(probabilities).all():
        row = int((~np.isfinite(probabilities).all(1)).argmax())
        raise ValueError(f"{describe(forecasts.keys()[row])} has a probability that is not finite")
    return forecasts


def join_forecasts(parts: Sequence[Forecasts]) -> Forecasts:
    """Forecasts with as many modes and steps each, one after the other; all have tracks and probabilities."""
    return Forecasts(
        scenes=[scene for part in parts for scene in part.scenes],
        tracks=[track for part in parts for track in part.tracks or ()],
        positions=np.concatenate([part.positions for part in parts]),
        probabilities=np.concatenate([part.probabilities for part in parts if part.probabilities is not None]),
    )


def names(items: Sequence[str] | map[str], show: int = 5) -> str:
    """The first few of many names, and how many more there are."""
    items = list(items)
    rest = f" and {len(items) - show:,} more" if len(items) > show else ""
    return ", ".join(items[:show]) + rest


def describe(key: tuple[str, str]) -> str:
    """A (scene, track) for a message."""
    return f"{key[0]} track {key[1]}" if key[1] else key[0]
