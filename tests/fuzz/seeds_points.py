"""Clouds, splits of ModelNet40's layout, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mutate_text import TEXT
from seed import Seed

from geo_lm4ve.geometry.meshes import read_points


def _xyz(folder: Path) -> Path:
    path = folder / "cloud.xyz"
    np.savetxt(path, np.random.default_rng(0).normal(size=(40, 3)), fmt="%.4f")
    return path


SEEDS = (Seed("xyz", ("geo_lm4ve.geometry.meshes.read_points",), _xyz, read_points, TEXT),)
