"""Predicted point clouds as HTML cards that can be turned with the mouse, a finger or the arrow keys."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from geo_lm4ve.viz import projection
from geo_lm4ve.viz.cards import Judged, cards
from geo_lm4ve.words import html as escape

POINTS = 2048
"""Points kept per cloud at most: 16 kB of HTML."""


@dataclass(frozen=True)
class Card(Judged):
    """One point cloud and what a model said about it.

    Attributes:
        points: (N, 3) positions in any unit; the card scales them.
    """

    points: Float[np.ndarray, "n 3"]
    top: Sequence[tuple[str, float]] = ()
    true: str | None = None
    name: str = ""


def section(clouds: Sequence[Card]) -> tuple[str, str]:
    """Heading and HTML of the cards, for ``html_report``.

    Raises:
        ValueError: a cloud cannot be shown; it is named.
    """
    needs_script = "<noscript><p>The three-dimensional views need JavaScript.</p></noscript>"
    made = needs_script + cards(clouds, _canvas, "Drag to turn, double-click to reset, ⤢ to enlarge and zoom.")
    return "Predictions" if any(cloud.top for cloud in clouds) else "Point clouds", made


def encode(points: Float[np.ndarray, "n 3"]) -> str:
    """At most POINTS points, scaled into the unit ball, as base64 of little-endian int16 (x, y, z) / 32767."""
    scaled = projection.thin(projection.fit(points), POINTS)
    return base64.b64encode(np.round(scaled * 32767).astype("<i2").tobytes()).decode("ascii")


def _canvas(cloud: Card) -> str:
    canvas = (
        f'<canvas tabindex="0" role="img" aria-label="point cloud {escape(cloud.label)}" '
        f'data-points="{encode(cloud.points)}"></canvas>'
    )
    return canvas + '\n<button type="button" class="enlarge" title="enlarge" aria-label="enlarge">⤢</button>'
