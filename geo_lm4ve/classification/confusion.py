"""The confusion matrix as a picture: hits in blue, errors in orange, so that errors are seen at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jaxtyping import Float, Integer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from geo_lm4ve.viz import style

ORDERS = ("given", "recall", "similar")
COUNTS_UP_TO = 15
"""Counts are printed inside the cells up to this many classes."""
_EMPTY, _ABSENT = (0.965, 0.97, 0.98), (0.88, 0.89, 0.91)
"""Colours of a cell without samples and of a class without samples."""


def confusion_png(
    path: Path | str,
    matrix: Integer[np.ndarray, "c c"],
    names: Sequence[str],
    title: str,
    *,
    order: str = "given",
    synthetic: bool = False,
) -> None:
    """Draw a confusion matrix of 2 to about 60 classes.

    Colour is the share of the true class (each row sums to one); the right margin says recall and support of each row.

    Args:
        path: PNG to write.
        matrix: (C, C) counts; row = true class, column = predicted class.
        names: C class names.
        title: what was evaluated, e.g. "ModelNet40 test · Point-BERT + LLaMA".
        order: ``given``; ``recall`` (best class first); ``similar`` (confused classes beside each other).
        synthetic: say in the title that the data is generated.

    Raises:
        ValueError: negative counts, sizes that disagree, or an unknown order.
    """
    _check(matrix, names, order)
    indices = class_order(matrix, order)
    matrix, names = matrix[np.ix_(indices, indices)], [names[index] for index in indices]
    cell = min(0.62, max(0.19, 6.5 / len(names)))
    font = min(9.0, cell * 36)
    names = [style.legible(name) for name in names]
    margin = 0.5 + 0.6 * font / 72 * max(len(name) for name in names)
    side, top = cell * len(names), 1.3
    figure = style.new_figure(max(margin + side + 1.3, 6.4), top + side + margin + 0.1)
    style.heading(figure, title, summary(matrix, names), synthetic=synthetic)
    axes = style.new_axes(figure, margin, top, side, side)
    _draw(axes, matrix, names, font)
    _legend(figure, 0.2, 0.84)
    style.save(figure, path)


def row_shares(matrix: Integer[np.ndarray, "c c"]) -> Float[np.ndarray, "c c"]:
    """Counts over their row's sum; rows without samples are zero."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def class_order(matrix: Integer[np.ndarray, "c c"], order: str) -> list[int]:
    """Class indices in drawing order; ``similar`` joins what is confused most (average linkage)."""
    shares = row_shares(matrix)
    if order == "recall":
        return np.argsort(-shares.diagonal(), kind="stable").tolist()
    if order == "similar" and len(matrix) > 2:
        distance = 1 - np.clip(shares + shares.T, 0, 1)
        np.fill_diagonal(distance, 0)
        return leaves_list(linkage(squareform(distance), "average", optimal_ordering=True)).tolist()
    return list(range(len(matrix)))


def _check(matrix: Integer[np.ndarray, "c c"], names: Sequence[str], order: str) -> None:
    if len(names) != len(matrix) or len(names) < 2:
        raise ValueError(f"a confusion matrix needs 2 or more classes with a name each; got {matrix.shape} and {names}")
    if (matrix < 0).any():
        raise ValueError("a confusion matrix holds counts; it has negative entries")
    if order not in ORDERS:
        raise ValueError(f"order {order!r} is none of {', '.join(ORDERS)}")


def summary(matrix: Integer[np.ndarray, "c c"], names: Sequence[str]) -> str:
    """Overall and mean class accuracy, and the most frequent confusions."""
    total, present = max(int(matrix.sum()), 1), matrix.sum(axis=1) > 0
    recall = row_shares(matrix).diagonal()[present]
    mean = recall.mean() if present.any() else 0.0
    text = f"{matrix.sum():,} samples · overall accuracy {matrix.trace() / total:.1%} · mean class accuracy {mean:.1%}"
    errors = matrix - np.diag(matrix.diagonal())
    worst = [divmod(int(flat), len(names)) for flat in np.argsort(-errors, axis=None, kind="stable")[:3]]
    pairs = [f"{names[row]} → {names[column]} ({errors[row, column]})" for row, column in worst if errors[row, column]]
    return text + (f"\nmost frequent errors: {', '.join(pairs)}" if pairs else "")


def _draw(axes: Axes, matrix: Integer[np.ndarray, "c c"], names: Sequence[str], font: float) -> None:
    colours, ticks = cell_colours(matrix), np.arange(len(names))
    axes.imshow(colours, interpolation="nearest", aspect="equal")
    axes.set_xticks(ticks, names, rotation=90, fontsize=font, parse_math=False)
    axes.set_yticks(ticks, names, fontsize=font, parse_math=False)
    axes.set_xticks(ticks[:-1] + 0.5, minor=True)
    axes.set_yticks(ticks[:-1] + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class", fontsize=9, color=style.MUTED)
    axes.set_ylabel("true class", fontsize=9, color=style.MUTED)
    _print_recall(axes, matrix, font)
    if len(names) <= COUNTS_UP_TO:
        _print_counts(axes, matrix, colours)


def cell_colours(matrix: Integer[np.ndarray, "c c"]) -> Float[np.ndarray, "c c 3"]:
    """A colour per cell: hits blue, errors orange, by their share of the row; grey where there is nothing."""
    hits, tints = np.eye(len(matrix), dtype=bool)[..., None], _tint(row_shares(matrix))
    colours = np.where(hits, mpl.colormaps["Blues"](tints)[..., :3], mpl.colormaps["Oranges"](tints)[..., :3])
    colours[matrix == 0] = _EMPTY
    colours[matrix.sum(axis=1) == 0] = _ABSENT
    return colours


def _tint(shares: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Place on the colour map: one lost sample in a hundred must still be seen, 100 % must not be black."""
    return 0.12 + 0.78 * shares**0.7


def _print_recall(axes: Axes, matrix: Integer[np.ndarray, "c c"], font: float) -> None:
    for row, (share, support) in enumerate(zip(row_shares(matrix).diagonal(), matrix.sum(axis=1))):
        text = f"{share:.0%} of {support:,}" if support else "no sample"
        axes.text(
            len(matrix) - 0.5, row, f"  {text}", fontsize=font, color=style.INK if support else style.MUTED, va="center"
        )


def _print_counts(axes: Axes, matrix: Integer[np.ndarray, "c c"], colours: Float[np.ndarray, "c c 3"]) -> None:
    dark = colours @ np.array([0.299, 0.587, 0.114]) < 0.55
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            colour = "white" if dark[row, column] else style.INK
            axes.text(column, row, f"{count}", fontsize=9, color=colour, ha="center", va="center")


def _legend(figure: Figure, left: float, top: float) -> None:
    """Two colour bars: share of the true class that was recognised, share that went elsewhere."""
    style.write(figure, left, top, "share of the true class, 0 to 100 %", size=8, color=style.MUTED)
    ramp = _tint(np.linspace(0, 1, 64))[None]
    for offset, name, label in ((2.15, "Blues", "recognised"), (3.65, "Oranges", "taken for another class")):
        axes = style.new_axes(figure, left + offset, top + 0.01, 0.6, 0.12)
        axes.imshow(mpl.colormaps[name](ramp), aspect="auto")
        axes.set_axis_off()
        style.write(figure, left + offset + 0.66, top, label, size=8, color=style.MUTED)
