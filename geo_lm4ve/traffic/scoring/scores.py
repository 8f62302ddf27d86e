"""Score anybody's forecasts: a submission file against a split folder, no model and no server needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.files import write_json
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse1_map import read_drivable_raster
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_surfaces
from geo_lm4ve.traffic.batch import Protocol
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.metrics.table import SceneTable, breakdown, means, scene_table
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.scoring.match import Match, match
from geo_lm4ve.traffic.scoring.truth import targets
from geo_lm4ve.traffic.scoring.worlds import score_worlds
from geo_lm4ve.traffic.submissions import Forecasts, read_argoverse1, read_argoverse2

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
    protocol: Protocol,
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
        predictions: Argoverse 1 HDF5 or Argoverse 2 parquet submission file.
        data: the split folder with the futures.
        protocol: whose definitions and file layout.
        k: numbers of guesses.
        out: JSON file to write.
        allow_missing: score what there is when scenes are missing or unknown; they are named either way.
        normalize: divide the probabilities of each track by their sum instead of refusing other sums.
        worlds: Argoverse 2: also score the joint forecasts of all scored tracks.
        drivable_area: Argoverse 2: also compute DAC from the scenarios' maps (Argoverse 1: whenever rasters are there).
        maps: Argoverse 1: the folder ``map_files``; default: beside or above the split folder.
        processes: number of processes that read the ground truth.

    Raises:
        ForecastError: the file is not a submission, scenes are missing or unknown, or values cannot be scored.
        DataError: the split cannot be read, or its futures are withheld.
    """
    if worlds and protocol is not Protocol.av2:
        raise ForecastError("joint (multi-world) metrics are defined for the Argoverse 2 protocol only")
    forecasts = read_argoverse1(predictions) if protocol is Protocol.av1 else read_argoverse2(predictions)
    forecasts = normalized(forecasts) if normalize else forecasts
    found = match(forecasts, data, protocol, worlds=worlds, processes=processes, allow_missing=allow_missing)
    scored, truth = forecasts.rows(found.rows), targets(found.truths)
    areas = _areas(truth.cities, found.paths, data, protocol, maps, drivable_area)
    table = scene_table(truth, scored.positions, scored.probabilities, protocol=protocol, ks=k, areas=areas)
    results: dict[str, Any] = {
        "metrics": means(table, protocol, k),
        "protocol": protocol.value,
        "samples": len(scored),
        "modes": scored.positions.shape[1],
        "predictions": str(predictions),
        "data": str(data),
        **_completeness(found),
        "notes": [*_notes(scored, truth.history[:, -1], len(forecasts), max(k)), *_map_notes(areas, protocol)],
        "breakdown": breakdown(table, protocol, k),
    }
    if worlds:
        results["multi_world"] = score_worlds(forecasts, found.truths, k)
    if out is not None:
        write_json(out, results)
    return Scores(results, table, scored, found.paths)


def normalized(forecasts: Forecasts) -> Forecasts:
    """Forecasts with the weights of each track divided by their sum; ForecastError where there are none to divide."""
    p = forecasts.probabilities
    if p is None:
        raise ForecastError("the file has no probabilities to normalize; leave --normalize out")
    if not (p >= 0).all() or not (p.sum(1) > 0).all():
        raise ForecastError("weights must be at least 0 with a positive sum; take the softmax of raw scores instead")
    return replace(forecasts, probabilities=p / p.sum(1, keepdims=True))


def _areas(
    cities: Sequence[str], paths: Sequence[Path], data: Path, protocol: Protocol, maps: Path | None, wanted: bool
) -> list[Surface] | None:
    """The drivable area of each scene, or None where there is none or (Argoverse 2) it is not asked for."""
    if protocol is Protocol.av2:
        if not wanted:
            return None
        return [read_surfaces(path.with_name(f"log_map_archive_{path.parent.name}.json")) for path in paths]
    near = [folder / "map_files" for folder in (data, data.parent, data.parent.parent)]
    folder = maps or next((path for path in near if path.is_dir()), None)
    if maps is not None and not maps.is_dir():
        raise DataError(f"no folder {maps}; --maps must name the folder map_files")
    rasters = {city: read_drivable_raster(folder, city) if folder else None for city in set(cities)}
    areas = [raster for raster in map(rasters.get, cities) if raster is not None]
    return [*areas] if len(areas) == len(cities) else None


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


def _map_notes(areas: list[Surface] | None, protocol: Protocol) -> list[str]:
    if areas is not None or protocol is Protocol.av2:
        return []
    return [
        "no DAC: the drivable area rasters (*_driveable_area_mat_*.npy, *_npyimage_to_city_se2_*.npy) are not there"
    ]
