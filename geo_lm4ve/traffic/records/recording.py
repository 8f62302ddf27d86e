"""Recording: one traffic scene as read from its files, in city coordinates and float64, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.records.plausible import FARTHEST, plausible


@dataclass(frozen=True)
class Recording:
    """A tracks over T observed and F future steps; the target is track 0.

    Attributes:
        scene_id: name in the data set.
        city: name of the city.
        history: number T of observed steps; the rest of the time axis is the future.
        track_ids: A ids as in the file.
        types: (A,) int8 AgentType.
        categories: (A,) int8 TrackCategory.
        positions: (A, T + F, 2) float64 city coordinates [m], zero where not valid.
        valid: (A, T + F) bool.
        heading: (A,) float64 [rad, city frame] at each track's last observed step.
        velocity: (A, 2) float64 [m/s, city frame] at each track's last observed step.
        times: (T,) float64 seconds of the observed steps since the first.
        ego: track of the recording car, or -1.
    """

    scene_id: str
    city: str
    history: int
    track_ids: list[str]
    types: NDArray[np.int8]
    categories: NDArray[np.int8]
    positions: NDArray[np.float64]
    valid: NDArray[np.bool_]
    heading: NDArray[np.float64]
    velocity: NDArray[np.float64]
    times: NDArray[np.float64]
    ego: int

    @property
    def reference(self) -> NDArray[np.float64]:
        """The target's last observed position."""
        return self.positions[0, self.history - 1]

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(A,) which tracks are seen in some observed step."""
        return np.any(self.valid[:, : self.history], axis=1)

    @property
    def future(self) -> NDArray[np.float64] | None:
        """(F, 2) the target's future in city coordinates, or None where it is withheld."""
        return self.positions[0, self.history :] if self.valid[0, self.history :].all() else None


def target_first(order: NDArray[np.int64], target: int) -> NDArray[np.int64]:
    """The tracks with the target moved to the front, the others in their order."""
    return np.concatenate([[target], order[order != target]])


def fill_tracks(
    xy: NDArray[np.float64], track: NDArray[np.int64], step: NDArray[np.int64], tracks: int, steps: int, where: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Rows of a file as dense tracks: positions (A, steps, 2) and valid (A, steps).

    Raises:
        DataError: a coordinate that is not finite or farther than FARTHEST, or two rows for one track and step.
    """
    if not plausible(xy).all():
        row = int(np.flatnonzero(~plausible(xy).all(1))[0])
        raise DataError(
            f"{where}: data row {row + 1} has the position {xy[row].tolist()}; positions must be finite, within "
            f"{FARTHEST:g} m"
        )
    positions = np.zeros((tracks, steps, 2))
    valid = np.zeros((tracks, steps), dtype=bool)
    positions[track, step] = xy
    valid[track, step] = True
    if valid.sum() != len(xy):
        raise DataError(f"{where}: {len(xy) - int(valid.sum())} rows repeat the step of a track that has one already")
    return positions, valid


def check_target(valid: NDArray[np.bool_], history: int, name: str, where: str) -> None:
    """The target (track 0) must be seen in every observed step, and in every future step or none.

    Raises:
        DataError: steps are missing.
    """
    observed, future = valid[0, :history], valid[0, history:]
    if not observed.all():
        raise DataError(f"{where}: {name} lacks {int((~observed).sum())} of its {history} observed steps")
    if future.any() and not future.all():
        raise DataError(f"{where}: {name} lacks {int((~future).sum())} of its {len(future)} future steps")
