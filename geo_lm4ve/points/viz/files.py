"""Pictures of point cloud and mesh files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.geometry.meshes import SUFFIXES, read_points
from geo_lm4ve.parts.drawer import drawer
from geo_lm4ve.points.viz.cards import Card, section
from geo_lm4ve.points.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.reading import Fields
from geo_lm4ve.viz.html import html_report
from geo_lm4ve.words import line


def best_classes(entry: Fields) -> None:
    """``top`` of an entry: (class, probability) of its best classes; ValueError for anything else."""
    top = entry["top"]
    pairs = isinstance(top, list) and top and all(isinstance(pair, list) and len(pair) == 2 for pair in top)
    if not pairs or not all(isinstance(c, str) and isinstance(p, float) and 0 <= p <= 1 for c, p in top):
        raise ValueError(f"{entry.prefix}top is not a list of classes and probabilities")


@drawer(*SUFFIXES, answer=best_classes)
def draw_clouds(files: Sequence[Path], out: Path, predictions: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Draw point cloud and mesh files as ``clouds.png`` and ``clouds.html`` (to turn with the mouse).

    Args:
        files: anything that ``read_points`` reads; meshes are sampled.
        out: folder for the pictures.
        predictions: file name as given -> ``top``: (class, probability) of its best classes, best first.

    Returns:
        The files written.

    Raises:
        PointsError: a file cannot be read; the message names it.
    """
    tops = {name: entry["top"] for name, entry in predictions.items()}
    clouds = [Card(read_points(path).points.numpy(), tops.get(str(path), ()), name=path.name) for path in files]
    title = files[0].name if len(files) == 1 else f"{len(files)} point clouds"
    labelled = all(cloud.top for cloud in clouds)
    contact_sheet_png(
        out / "clouds.png",
        [cloud.points for cloud in clouds],
        [_caption(cloud) for cloud in clouds],
        None,
        title,
        probabilities=[cloud.top[0][1] for cloud in clouds] if labelled else None,
        note="predicted class in bold, file below" if labelled else "",
    )
    html_report(out / "clouds.html", title, {}, samples=section(clouds), note=", ".join(map(str, files[:20])))
    return [out / "clouds.png", out / "clouds.html"]


def _caption(cloud: Card) -> str:
    if cloud.top:
        return f"{line(cloud.top[0][0])}\n{line(cloud.name)}"
    return f"{line(cloud.name)}\n{len(cloud.points):,} points"
