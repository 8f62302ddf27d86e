"""Training curves of one or several runs: loss, learning rate and the metrics that matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geo_lm4ve.files import UserError
from geo_lm4ve.run_files import POSITIONS
from geo_lm4ve.viz import style

Records = Sequence[Mapping[str, Any]]
"""Lines of a ``metrics.jsonl``: flat names to numbers, with ``step`` or ``epoch`` among them."""

_WIDTH, _HEIGHT = 7.2, 2.2
"""Inches: width of the figure, height of a panel with its title and axis."""
_ENTRY = 0.18
"""Inches: height of a line of the legend of several runs."""
_DASHES = ("-", "--", ":", "-.")
_NOISY = 50
"""A loss with more values than this is drawn pale, with its moving average on top."""
_LABELLED = 2
"""Up to this many lines have their last value printed beside them."""


class CurveError(UserError, ValueError):
    """Records of which no curve can be drawn."""


@dataclass(frozen=True)
class Line:
    """The values of one key of one run."""

    run: str
    split: str
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]


def curves_png(
    path: Path | str,
    runs: Mapping[str, Records],
    metrics: Sequence[str],
    title: str,
    *,
    synthetic: bool = False,
) -> None:
    """Draw loss, the named metrics and the learning rate over the steps (or epochs) of training, one panel each.

    A key belongs to the panel ``loss`` if it ends in ``loss``, to ``lr`` if it ends in ``lr``, and to a metric's panel
    if it ends in the metric's name; what stands before (``val_``, ``train/``; nothing means train) tells the lines of
    a panel apart. Several runs differ in colour, their splits in dashes.

    Args:
        path: PNG to write.
        runs: name of the run -> its records.
        metrics: names of the metrics to draw, e.g. ("overall_accuracy",).
        title: what was trained.
        synthetic: say in the title that the data is generated.

    Raises:
        CurveError: no record, records without ``step`` and ``epoch``, or nothing to draw.
    """
    position = shared_position(runs)
    panels = {name: lines_of(runs, name, position) for name in ("loss", *metrics, "lr")}
    panels = {name: lines for name, lines in panels.items() if lines}
    if not panels:
        keys = sorted({key for records in runs.values() for record in records for key in record})
        raise CurveError(f"nothing to draw: no key ends in loss, lr or {', '.join(metrics)}; keys: {', '.join(keys)}")
    entries = legend_entries(list(runs), panels) if len(runs) > 1 else []
    top = 0.75 + _ENTRY * math.ceil(len(entries) / 2)
    figure = style.new_figure(_WIDTH, top + _HEIGHT * len(panels))
    style.heading(figure, title, synthetic=synthetic)
    _draw_legend(figure, entries)
    for row, (name, lines) in enumerate(panels.items()):
        axes = style.new_axes(figure, 0.75, top + 0.05 + _HEIGHT * row, _WIDTH - 1.45, _HEIGHT - 0.6)
        _draw(axes, name, lines, list(runs))
        axes.set_xlabel(position if row == len(panels) - 1 else "", fontsize=9, color=style.MUTED)
    style.save(figure, path)


def shared_position(runs: Mapping[str, Records]) -> str:
    """``step`` if every record has it, else ``epoch``."""
    records = [record for run in runs.values() for record in run]
    for name in POSITIONS:
        if records and all(name in record for record in records):
            return name
    raise CurveError("training curves need at least one record, and 'step' or 'epoch' in all of them")


def lines_of(runs: Mapping[str, Records], ending: str, position: str) -> list[Line]:
    """Every key of every run that ends in ``ending``."""
    lines = []
    for run, records in runs.items():
        for key in dict.fromkeys(key for record in records for key in record if _ends_in(key, ending)):
            values = [(record[position], record[key]) for record in records if record.get(key) is not None]
            if not values:
                continue
            x, y = np.array(values, dtype=float).T
            lines.append(Line(run, key.removesuffix(ending).rstrip("/_. ") or "train", x, y))
    return lines


def _ends_in(key: str, ending: str) -> bool:
    return key == ending or any(key.endswith(separator + ending) for separator in "/_. ")


def _draw(axes: Axes, name: str, lines: Sequence[Line], runs: list[str]) -> None:
    splits = _splits(lines)
    drawn: list[Line2D] = []
    for line in lines:
        run, split = runs.index(line.run), splits.index(line.split)
        colour = style.SERIES[(run if len(runs) > 1 else split) % len(style.SERIES)]
        dashes = _DASHES[split % len(_DASHES)] if len(runs) > 1 else "-"
        noisy = name == "loss" and len(line.y) > _NOISY
        if noisy:
            axes.plot(line.x, line.y, color=colour, linewidth=0.8, alpha=0.25)
        y = smooth(line.y) if noisy else line.y
        marker = "o" if len(y) == 1 else ""
        drawn += axes.plot(line.x, y, dashes, color=colour, linewidth=1.6, label=line.split, marker=marker)
    heading = name.replace("_", " ") + (f" · {splits[0]}" if len(splits) == 1 and splits != ["train"] else "")
    axes.set_title(style.legible(heading, 60), fontsize=9.5, loc="left", color=style.INK, parse_math=False)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    _print_last(axes, lines)
    if len(runs) == 1 and len(splits) > 1:
        style.legend(axes, drawn, fontsize=7.5, ncols=len(splits))


def _splits(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line.split for line in lines))


def legend_entries(runs: list[str], panels: Mapping[str, Sequence[Line]]) -> list[Line2D]:
    """A coloured line per run; where a panel shows several splits, a grey one with the dashes of each."""
    colours = [style.SERIES[place % len(style.SERIES)] for place in range(len(runs))]
    entries = [Line2D([], [], color=colour, linewidth=2, label=run) for colour, run in zip(colours, runs)]
    splits = max((_splits(lines) for lines in panels.values()), key=len)
    dashes = [_DASHES[place % len(_DASHES)] for place in range(len(splits))]
    if len(splits) > 1:
        entries += [Line2D([], [], color=style.MUTED, linestyle=d, label=split) for d, split in zip(dashes, splits)]
    return entries


def _draw_legend(figure: Figure, entries: Sequence[Line2D]) -> None:
    """The legend under the title, in two columns."""
    if entries:
        top = 1 - 0.42 / figure.get_size_inches()[1]
        place = {"loc": "upper left", "bbox_to_anchor": (0.02, top)}
        style.legend(figure, entries, ncols=2, fontsize=8, handlelength=2.4, labelspacing=0.35, **place)


def _print_last(axes: Axes, lines: Sequence[Line]) -> None:
    """The last value of each line in the right margin, unless there are too many to tell apart."""
    if len(lines) > _LABELLED:
        return
    low, high = axes.get_ylim()
    floor = -np.inf
    for line in sorted(lines, key=lambda line: float(line.y[-1])):
        floor = max(float(line.y[-1]), floor + 0.1 * (high - low))
        axes.annotate(
            f"  {line.y[-1]:.3g}", (1, floor), xycoords=axes.get_yaxis_transform(), fontsize=8, va="center",
            color=style.INK,
        )  # fmt: skip


def smooth(y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Centred moving average over a 25th of the curve; at the ends over what there is of it."""
    width = max(len(y) // 25, 1)
    window = np.ones(width)
    return np.convolve(y, window, "same") / np.convolve(np.ones_like(y), window, "same")
