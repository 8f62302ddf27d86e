"""Predicted point clouds as HTML cards that can be turned with the mouse, a finger or the arrow keys."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from geo_lm4ve.viz import projection
from geo_lm4ve.words import html as escape

POINTS = 2048
"""Points kept per cloud at most: 16 kB of HTML."""
CLOUDS = 60
"""Cards on one page at most: 1 MB of HTML."""


@dataclass(frozen=True)
class Card:
    """One point cloud and what a model said about it.

    Attributes:
        points: (N, 3) positions in any unit; the card scales them.
        top: (class, probability) of the best classes, best first; the first one is the prediction. May be empty.
        true: the true class, or None if it is not known.
        name: which sample this is (index in the split, file name).
    """

    points: Float[np.ndarray, "n 3"]
    top: Sequence[tuple[str, float]] = ()
    true: str | None = None
    name: str = ""

    @property
    def correct(self) -> bool | None:
        """Was the prediction right? None if there is no prediction or no truth."""
        return self.top[0][0] == self.true if self.top and self.true is not None else None


def cards(clouds: Sequence[Card]) -> str:
    """The cards of the first CLOUDS clouds with a filter above them; what was left out is said."""
    shown = clouds[:CLOUDS]
    left_out = f" The first {len(shown)} of {len(clouds)} are shown." if len(shown) < len(clouds) else ""
    hint = f'<p class="hint">Drag to turn, double-click to reset, ⤢ to enlarge and zoom.{left_out}</p>'
    cards = "\n".join(_card(cloud, place) for place, cloud in enumerate(shown))
    needs_script = "<noscript><p>The three-dimensional views need JavaScript.</p></noscript>"
    return f'{_toolbar(shown, hint)}{needs_script}\n<div class="clouds">\n{cards}\n</div>'


def section(clouds: Sequence[Card]) -> tuple[str, str]:
    """Heading and HTML of the cards, for ``html_report``.

    Raises:
        ValueError: a cloud cannot be shown; it is named.
    """
    return "Predictions" if any(cloud.top for cloud in clouds) else "Point clouds", cards(clouds)


def encode(points: Float[np.ndarray, "n 3"]) -> str:
    """At most POINTS points, scaled into the unit ball, as base64 of little-endian int16 (x, y, z) / 32767."""
    scaled = projection.thin(projection.fit(points), POINTS)
    return base64.b64encode(np.round(scaled * 32767).astype("<i2").tobytes()).decode("ascii")


def _toolbar(clouds: Sequence[Card], hint: str) -> str:
    kinds = [_kind(cloud) for cloud in clouds]
    counts = {"all": len(kinds)}
    if set(kinds) != {"unknown"}:
        counts |= {"wrong": kinds.count("wrong"), "right": kinds.count("right")}
    buttons = "".join(
        f'<button type="button" data-show="{kind}" aria-pressed="{str(kind == "all").lower()}">{kind} {count}</button>'
        for kind, count in counts.items()
    )
    search = '<input type="search" placeholder="class or name" aria-label="show only this class or name">'
    return f'<div class="toolbar" hidden>{buttons}{search}{hint}</div>'


def _kind(cloud: Card) -> str:
    return {True: "right", False: "wrong", None: "unknown"}[cloud.correct]


def _card(cloud: Card, place: int) -> str:
    try:
        points = encode(cloud.points)
    except ValueError as error:
        raise ValueError(f"cloud {place} ({cloud.name or 'no name'}): {error}") from error
    label = cloud.top[0][0] if cloud.top else cloud.true or cloud.name
    search = escape(" ".join(filter(None, [label, cloud.true, cloud.name])).lower())
    lines = [
        f'<article class="cloud {_kind(cloud)}" data-search="{search}">',
        f'<canvas tabindex="0" role="img" aria-label="point cloud {escape(label)}" data-points="{points}"></canvas>',
        '<button type="button" class="enlarge" title="enlarge" aria-label="enlarge">⤢</button>',
        f"<h3>{escape(label)}</h3>",
    ]
    if cloud.true is not None and cloud.correct is not True:
        lines.append(f'<p class="true">true: {escape(cloud.true)}</p>')
    if cloud.name and cloud.name != label:
        lines.append(f"<p>{escape(cloud.name)}</p>")
    return "\n".join([*lines, _bars(cloud), "</article>"])


def _bars(cloud: Card) -> str:
    rows = "".join(
        f'<li{" class=is-true" if name == cloud.true else ""} style="--share:{100 * share:.2f}%">'
        f"<span>{escape(name)}</span><span>{share:.1%}</span></li>"
        for name, share in cloud.top
    )
    return f'<ol class="bars">{rows}</ol>' if rows else ""
