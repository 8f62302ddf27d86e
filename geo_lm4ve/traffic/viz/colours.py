"""Colours of traffic scenes, the same in PNG, animation and HTML; told apart with common colour vision deficiencies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

GROUND, ROAD, INTERSECTION, CENTRELINE = "#f6f7f9", "#e4e8ee", "#dbe0e8", "#ffffff"
BOUNDARY, CROSSING = "#b3bcc9", "#eef1f5"
AGENT = {"vehicle": "#8fa3bb", "bus": "#7189a6", "cyclist": "#b59bc9", "pedestrian": "#c9a36a", "other": "#b9bfc7"}
EGO = "#5f6b7a"
ACTIVE = "#ae017e"
TARGET, TRUTH, MODE = "#e07b00", "#009e73", "#0072b2"
"""The target and its past, what it did then, and what was forecast."""

SIZES_M = {
    "vehicle": (4.5, 1.9),
    "bus": (11.0, 2.6),
    "cyclist": (1.9, 0.7),
    "pedestrian": (0.8, 0.8),
    "other": (1.2, 1.2),
}
"""Length and width by kind: neither data set records them."""

LANE_WIDTH_M = 3.8
"""Width at which lanes are drawn (Argoverse 1 lanes: 3.84 m in Miami, 3.97 m in Pittsburgh; maps hold centrelines)."""


def mode_strength(probabilities: Float[np.ndarray, " k"] | None, count: int) -> Float[np.ndarray, " k"]:
    """Opacity of each mode: 0.25 for none, 1 for the most likely one."""
    if probabilities is None:
        return np.full(count, 0.8)
    return 0.25 + 0.75 * probabilities / max(float(probabilities.max()), 1e-9)
