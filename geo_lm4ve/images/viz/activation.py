"""How far the tokens of an image's patches stand out: before the block and after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib import colormaps
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor

from geo_lm4ve.images.viz.contact_sheet import SIDE
from geo_lm4ve.viz import style

CELL, GAP, CAPTION, HEAD, FOOT = 1.25, 0.06, 0.3, 0.95, 0.3
"""Inches: side of a picture, distance between those of one image, space below them, and above and below all."""
ACROSS = 3
"""Images side by side."""


@dataclass(frozen=True)
class Lit:
    """One image and the activation of its patches.

    Attributes:
        image: (H, W, 3) red, green, blue.
        values: heading -> (rows, columns) 0..1, how far the token of each patch stands out.
        caption: a line below them.
        correct: whether the prediction is right; None where nobody knows.
        mask: (H, W) the object, where the data has masks.
    """

    image: UInt8[np.ndarray, "h w 3"]
    values: Mapping[str, Float[np.ndarray, "r c"]]
    caption: str
    correct: bool | None = None
    mask: Bool[np.ndarray, "h w"] | None = None


def on_grid(values: Float[Tensor, " n"], positions: Float[Tensor, "n 2"]) -> Float[np.ndarray, "r c"]:
    """Values of patches as the grid that they lie on.

    Raises:
        ValueError: their positions are those of no full grid.
    """
    places = positions.detach().cpu().double().numpy()
    rows, columns = (np.unique(places[:, axis]) for axis in (0, 1))
    if len(rows) * len(columns) != len(values):
        raise ValueError(f"{len(values)} tokens at {len(rows)} heights and {len(columns)} widths fill no grid")
    grid = np.empty((len(rows), len(columns)))
    grid[np.searchsorted(rows, places[:, 0]), np.searchsorted(columns, places[:, 1])] = values.cpu().double().numpy()
    return grid


def activation_png(path: Path | str, images: Sequence[Lit], title: str, note: str, *, synthetic: bool = False) -> None:
    """Draw every image beside its patches, bright where a token stands out, some images in a row.

    Args:
        path: PNG to write.
        images: at least one; all with the same headings.
        title: what is shown.
        note: a line below it.
        synthetic: say in the title that the data is generated.
    """
    headings = [*images[0].values]
    wide = (1 + len(headings)) * (CELL + GAP)
    across = min(ACROSS, len(images))
    rows = -(-len(images) // across)
    figure = style.new_figure(max(across * (wide + 0.2) + 0.2, 6.0), HEAD + rows * (CELL + CAPTION) + FOOT)
    style.heading(figure, title, note, synthetic=synthetic)
    for place, one in enumerate(images):
        left, top = 0.2 + (place % across) * (wide + 0.2), HEAD + (place // across) * (CELL + CAPTION)
        pictures = [np.asarray(_reduced(one.image)), *(_blended(one.image, one.values[name]) for name in headings)]
        for step, picture in enumerate(pictures):
            axes = style.new_axes(figure, left + step * (CELL + GAP), top, CELL, CELL)
            axes.imshow(picture)
            axes.set_axis_off()
            _outline(axes, one.mask, picture.shape[:2])
        for step, name in enumerate(headings if place < across else ()):
            style.write(figure, left + (1 + step) * (CELL + GAP), top - 0.2, name, size=8, color=style.MUTED)
        colour = style.INK if one.correct is None else style.RIGHT if one.correct else style.WRONG
        caption, size = style.fitted(one.caption, 8, wide)
        style.write(figure, left, top + CELL + 0.06, caption, size=size, color=colour)
    style.save(figure, path)


def _reduced(image: UInt8[np.ndarray, "h w 3"]) -> Image.Image:
    picture = Image.fromarray(image)
    picture.thumbnail((SIDE, SIDE))
    return picture


def _blended(image: UInt8[np.ndarray, "h w 3"], values: Float[np.ndarray, "r c"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """A dark grey image under the values, patch by patch, in the colours of the palette."""
    picture = _reduced(image).convert("L")
    grey = np.asarray(picture, float)[..., None] / 255
    colours = Image.fromarray((colormaps["inferno"](values)[..., :3] * 255).astype(np.uint8))
    large = np.asarray(colours.resize(picture.size, Image.Resampling.NEAREST), float) / 255
    return ((0.25 * grey + 0.75 * large) * 255).astype(np.uint8)


def _outline(axes: Axes, mask: Bool[np.ndarray, "h w"] | None, shape: tuple[int, ...]) -> None:
    """The object's outline, where it is known and there is one."""
    if mask is not None and mask.any() and not mask.all():
        height, width = mask.shape
        rows = (np.arange(height) + 0.5) * shape[0] / height - 0.5
        columns = (np.arange(width) + 0.5) * shape[1] / width - 0.5
        axes.contour(columns, rows, mask, levels=[0.5], colors=["white"], linewidths=0.8)
