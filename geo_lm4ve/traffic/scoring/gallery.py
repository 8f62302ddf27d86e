"""Anybody's forecasts to look at: an interactive page over the lane maps of the split they were scored on."""

from __future__ import annotations

from pathlib import Path

import torch

from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.metrics.forecasting import flat_name
from geo_lm4ve.traffic.scoring.scores import Scores
from geo_lm4ve.traffic.viz.choice import worst_and_spread
from geo_lm4ve.traffic.viz.ground import ground
from geo_lm4ve.traffic.viz.html import fitting, scenes_html
from geo_lm4ve.traffic.viz.scene import TrafficScene, traffic_scene


def write_gallery(path: Path, scores: Scores, layout: Layout, *, root: Path, count: int = 60) -> None:
    """Write the page.

    Args:
        path: ``.html`` file to write.
        scores: what ``score_predictions`` gave.
        layout: of the split's files.
        root: the folder that holds the split, and maps that several scenes share.
        count: scenes: half of them the worst, half evenly spaced over the others, in the order of the split.

    Raises:
        DataError: a scene or its map cannot be read.
    """
    k = max(int(name.removeprefix("K=")) for name in scores.results["metrics"])
    order_by = flat_name("minFDE", k)
    rows = worst_and_spread(scores.table[order_by], count)
    values, protocol = scores.results["metrics"][f"K={k}"], scores.results["protocol"]
    scenes_html(
        path,
        fitting(scenes_of(scores, rows, layout, root, k)),
        f"{Path(scores.results['predictions']).name} on {scores.results['data']}",
        note=f"Protocol {protocol}. Half of the scenes are the worst, the others spread evenly over the rest.",
        highlights={f"{name} K={k}": f"{values[name]:.3f}" for name in ("minADE", "minFDE", "MR")},
        sort=order_by,
        total=len(scores.paths),
    )


def scenes_of(scores: Scores, rows: list[int], layout: Layout, root: Path, k: int) -> list[TrafficScene]:
    """The scenes of some rows of the table, with map and forecasts, most likely modes first."""
    batch = layout.read([scores.paths[row] for row in rows], root)
    positions = torch.from_numpy(scores.forecasts.positions[rows])
    modes, probabilities = batch.to_scene(positions), None
    if scores.forecasts.probabilities is not None:
        probabilities, order = torch.from_numpy(scores.forecasts.probabilities[rows]).sort(
            dim=1, descending=True, stable=True
        )
        modes = modes.take_along_dim(order[:, :, None, None], dim=1)
    names = [flat_name(name, number) for number in dict.fromkeys((k, 1)) for name in ("minADE", "minFDE")]
    return [
        traffic_scene(
            batch,
            place,
            modes=modes[place],
            probabilities=None if probabilities is None else probabilities[place],
            surface=ground(layout.own_surface, scores.paths[row], root, batch.city[place]),
            numbers={name: scores.table[name][row] for name in names if name in scores.table},
        )
        for place, row in enumerate(rows)
    ]
