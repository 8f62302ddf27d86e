"""Images as HTML cards."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from geo_lm4ve.viz.cards import Judged, cards
from geo_lm4ve.words import html as escape

SIDE = 224
"""Pixels of a picture's longer side at most."""
QUALITY = 85
"""Of its JPEG."""


@dataclass(frozen=True)
class Card(Judged):
    """One image and what a model said about it.

    Attributes:
        image: (H, W, 3) red, green, blue.
    """

    image: UInt8[np.ndarray, "h w 3"]
    top: Sequence[tuple[str, float]] = ()
    true: str | None = None
    name: str = ""


def section(images: Sequence[Card]) -> tuple[str, str]:
    """Heading and HTML of the cards, for ``html_report``."""
    return "Predictions" if any(image.top for image in images) else "Images", cards(images, _picture)


def encoded(image: UInt8[np.ndarray, "h w 3"]) -> str:
    """The image as the source of an ``<img>``, reduced to SIDE."""
    picture, bytes_ = Image.fromarray(image), io.BytesIO()
    picture.thumbnail((SIDE, SIDE))
    picture.save(bytes_, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(bytes_.getvalue()).decode('ascii')}"


def _picture(card: Card) -> str:
    return f'<img class="sample" alt="{escape(card.name)}" src="{encoded(card.image)}">'
