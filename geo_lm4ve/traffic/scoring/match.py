"""Which forecast belongs to which scene of a split, and which scenes have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.scoring.truth import SceneTruth, read_truths, scene_files
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.submissions.forecasts import describe, names


@dataclass(frozen=True)
class Match:
    """The scenes that can be scored, and those that cannot.

    Attributes:
        truths, paths: of the S scenes whose target is forecast.
        rows: (S,) their targets' rows among the forecasts.
        missing: scenes (or targets) of the split without forecast.
        extra: forecast scenes that the split does not hold.
        total: scenes of the split.
    """

    truths: list[SceneTruth]
    paths: list[Path]
    rows: Int64[np.ndarray, " s"]
    missing: list[str]
    extra: list[str]
    total: int


def match(
    forecasts: Forecasts, data: Path, layout: Layout, *, worlds: bool, processes: int, allow_missing: bool
) -> Match:
    """Find the truth of every forecast; the arguments are those of ``score_predictions``.

    Raises:
        ForecastError: scenes are missing or unknown and ``allow_missing`` is not set, or none is left.
        DataError: the split cannot be read.
    """
    files = scene_files(data, layout)
    predicted = dict.fromkeys(forecasts.scenes)
    missing = [scene for scene in files if scene not in predicted]
    extra = [scene for scene in predicted if scene not in files]
    _check(missing, extra, len(files), allow_missing)
    paths = [path for scene, path in files.items() if scene in predicted]
    truths = read_truths(paths, layout, worlds=worlds, processes=processes)
    rows = target_rows(forecasts, truths)
    unscored = [describe((truth.scene, truth.tracks[0])) for truth, row in zip(truths, rows) if row < 0]
    _check(unscored, [], len(files), allow_missing)
    kept = (rows >= 0).nonzero()[0]
    if not len(kept):
        raise ForecastError(f"none of the {len(files):,} scenes of {data} is forecast")
    return Match(
        truths=[truths[place] for place in kept],
        paths=[paths[place] for place in kept],
        rows=rows[kept],
        missing=[*missing, *unscored],
        extra=extra,
        total=len(files),
    )


def target_rows(forecasts: Forecasts, truths: Sequence[SceneTruth]) -> Int64[np.ndarray, " s"]:
    """Row of each scene's target among the forecasts, -1 where there is none."""
    place = {key: row for row, key in enumerate(forecasts.keys())}
    named = forecasts.tracks is not None
    keys = [(truth.scene, truth.tracks[0] if named else "") for truth in truths]
    return np.array([place.get(key, -1) for key in keys], dtype=np.int64)


def _check(missing: Sequence[str], extra: Sequence[str], total: int, allowed: bool) -> None:
    complaints = []
    if missing:
        complaints.append(f"{len(missing):,} of {total:,} scenes are not forecast: {names(missing)}")
    if extra:
        complaints.append(f"{len(extra):,} forecast scenes are not in the split: {names(extra)}")
    if complaints and not allowed:
        raise ForecastError("; ".join(complaints) + ". To score the others, pass --allow-missing")
