"""Files of forecasts, scored against a split of two scenes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from mutate_hdf5 import HDF5
from mutate_parquet import PARQUET
from seed import Seed

from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.scoring.scores import score_predictions
from geo_lm4ve.traffic.scoring.truth import read_truths
from geo_lm4ve.traffic.submissions import Forecasts
from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1, write_argoverse2

MODES = 3


def _write(folder: Path, layout: Layout) -> Path:
    """The truth of two scenes with some noise."""
    make = write_argoverse1 if layout is ARGOVERSE1 else write_argoverse2
    make(folder, TrafficRecipe(train=1, val=2, seed=3))
    truths = read_truths(list(layout.scene_files(folder / "val").values()), layout, worlds=False)
    positions = np.stack([np.repeat(truth.future[:1], MODES, axis=0) for truth in truths])
    positions += np.random.default_rng(0).normal(size=positions.shape)
    scenes, tracks = [truth.scene for truth in truths], [truth.tracks[0] for truth in truths]
    path = folder / layout.submission
    layout.write_submission(path, Forecasts(scenes, tracks, positions, np.array([[0.5, 0.25, 0.25]] * 2)))
    return path


def _score(path: Path, layout: Layout) -> object:
    metrics = score_predictions(path, path.parent / "val", layout).results["metrics"]
    assert all(math.isfinite(value) for values in metrics.values() for value in values.values())
    return metrics


_READERS = "geo_lm4ve.traffic.submissions"
SEEDS = (
    Seed(
        "av1_submission", (f"{_READERS}.argoverse1.read_argoverse1",), lambda folder: _write(folder, ARGOVERSE1),
        lambda path: _score(path, ARGOVERSE1), HDF5,
    ),
    Seed(
        "av2_submission", (f"{_READERS}.argoverse2.read_argoverse2",), lambda folder: _write(folder, ARGOVERSE2),
        lambda path: _score(path, ARGOVERSE2), PARQUET,
    ),
)  # fmt: skip
