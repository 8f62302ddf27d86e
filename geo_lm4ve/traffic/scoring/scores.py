"""Score anybody's forecasts: a submission file against a split folder, no model and no server needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.files import write_json
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.metrics.table import SceneTable, breakdown, means, scene_table
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.scoring.match import Match, match
from geo_lm4ve.traffic.scoring.truth import targets
from geo_lm4ve.traffic.scoring.worlds import score_worlds
from geo_lm4ve.traffic.submissions import Forecasts

FAR_M = 10.0
"""No agent of a city gets this far within the first 0.1 s."""
LISTED = 100
"""Names of missing or extra scenes kept in the results."""


@dataclass(frozen=True)
class Scores:
    """What scoring gives.

    Attributes:
        results: the content of the JSON file.
        table: one row per scene.
        forecasts: the targets' forecasts, in the order of the table.
        paths: the files of the scenes, in the same order.
    """

    results: dict[str, Any]
    table: SceneTable
    forecasts: Forecasts
    paths: list[Path]


def score_predictions(
    predictions: Path,
    data: Path,
    layout: Layout,
    protocol: Protocol | None = None,
    *,
    k: Sequence[int] = (1, 6),
    out: Path | None = None,
    allow_missing: bool = False,
    normalize: bool = False,
    worlds: bool = False,
    drivable_area: bool = False,
    maps: Path | None = None,
    processes: int = 1,
) -> Scores:
    """Score a file of forecasts.

    Args:
        predictions: submission file of the layout.
        data: the split folder with the futures.
        layout: of both.
        protocol: whose definitions; None: the layout's own.
        k: numbers of guesses.
        out: JSON file to write.
        allow_missing: score what there is when scenes are missing or unknown; they are named either way.
        normalize: divide the probabilities of each track by their sum instead of refusing other sums.
        worlds: also score the joint forecasts of all scored tracks, where the protocol has that.
        drivable_area: compute DAC also where a map has to be read for each scene.
        maps: folder of the maps; default: the layout's usual place near the split folder.
        processes: number of processes that read the ground truth.

    Raises:
        ForecastError: the file is not a submission, scenes are missing or unknown, or values cannot be scored.
        DataError: the split cannot be read, or its futures are withheld.
    """
    protocol = protocol or layout.protocol
    if worlds and not protocol.joint:
        raise ForecastError("joint (multi-world) metrics are defined for the Argoverse 2 protocol only")
    forecasts = layout.read_submission(predictions)
    with _about(predictions):
        forecasts = normalized(forecasts) if normalize else forecasts
        found = match(forecasts, data, layout, worlds=worlds, processes=processes, allow_missing=allow_missing)
        scored, truth = forecasts.rows(found.rows), targets(found.truths)
        areas, about_maps = layout.surfaces(found.paths, truth.cities, data, maps, drivable_area)
        table = scene_table(truth, scored.positions, scored.probabilities, protocol=protocol, ks=k, areas=areas)
        results: dict[str, Any] = {
            "metrics": means(table, protocol, k),
            "protocol": protocol.value,
            "samples": len(scored),
            "modes": scored.positions.shape[1],
            "predictions": str(predictions),
            "data": str(data),
            **_completeness(found),
            "notes": [*_notes(scored, truth.history[:, -1], len(forecasts), max(k)), *about_maps],
            "breakdown": breakdown(table, protocol, k),
        }
        if worlds:
            results["multi_world"] = score_worlds(forecasts, found.truths, k)
    if out is not None:
        write_json(out, results)
    return Scores(results, table, scored, found.paths)


@contextmanager
def _about(predictions: Path) -> Iterator[None]:
    """Say of which file a refusal is: what compares tables of numbers cannot know."""
    try:
        yield
    except ForecastError as fault:
        fault.add_note(f"while the forecasts of {predictions} were scored")
        raise


def normalized(forecasts: Forecasts) -> Forecasts:
    """Forecasts with the weights of each track divided by their sum; ForecastError where there are none to divide."""
    p = forecasts.probabilities
    if p is None:
        raise ForecastError("the file has no probabilities to normalize; leave --normalize out")
    if not (p >= 0).all() or not (p.sum(1) > 0).all():
        raise ForecastError("weights must be at least 0 with a positive sum; take the softmax of raw scores instead")
    return replace(forecasts, probabilities=p / p.sum(1, keepdims=True))


def _completeness(found: Match) -> dict[str, Any]:
    def named(scenes: Sequence[str]) -> dict[str, Any]:
        return {"count": len(scenes), "names": list(scenes[:LISTED])}

    return {"split_size": found.total, "missing": named(found.missing), "extra": named(found.extra)}


def _notes(scored: Forecasts, now: np.ndarray, tracks: int, guesses: int) -> list[str]:
    """What a reader of the numbers should know."""
    notes = []
    start = np.linalg.norm(scored.positions[:, :, 0] - now[:, None], axis=-1)
    if share := float((start > FAR_M).mean()):
        notes.append(
            f"{share:.1%} of the trajectories start more than {FAR_M:.0f} m from where the agent was last seen; "
            "positions must be city coordinates, one every 0.1 s from the first future step on"
        )
    if (modes := scored.positions.shape[1]) < guesses:
        notes.append(f"{modes} trajectories per track: more guesses than that change nothing")
    if scored.probabilities is None:
        notes.append("the file has no probabilities: the first K modes count, p- and brier- metrics are left out")
    if tracks > len(scored):
        notes.append(f"{tracks - len(scored):,} forecasts belong to no target of a scene and do not enter the metrics")
    return notes
