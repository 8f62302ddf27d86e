"""Many images on one sheet: what each one is, what the model took it for, and how sure it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from PIL import Image

from geo_lm4ve.viz.sheet import CELL, Corners, sheet_png

SIDE = 256
"""Pixels of an image's longer side at most."""


def contact_sheet_png(
    path: Path | str,
    images: Sequence[UInt8[np.ndarray, "h w 3"]],
    captions: Sequence[str],
    correct: Sequence[bool] | None,
    title: str,
    **more: Any,
) -> None:
    """Draw images side by side.

    Args:
        path: PNG to write.
        images: K images of any size; each is scaled to its own cell.
        captions: as of ``sheet_png``.
        correct: as of ``sheet_png``.
        title: what is shown.
        more: what else ``sheet_png`` takes.

    Raises:
        ValueError: no image, or lists of different lengths.
    """
    if len(captions) != len(images):
        raise ValueError(f"{len(images)} images, but {len(captions)} captions")

    def draw(axes: Axes, corners: Corners) -> None:
        for image, (left, top) in zip(images, corners):
            picture = Image.fromarray(image)
            picture.thumbnail((SIDE, SIDE))
            width, height = (CELL * side / max(picture.size) for side in picture.size)
            x, y = left + (CELL - width) / 2, top + (CELL - height) / 2
            axes.imshow(picture, extent=(x, x + width, y + height, y), zorder=2, aspect="auto")

    sheet_png(path, draw, captions, correct, title, **more)
