"""Made-up traffic written in the official layouts of Argoverse 1 and Argoverse 2."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo_lm4ve.files import atomic_path, write_text
from geo_lm4ve.notice import progress
from geo_lm4ve.traffic.argoverse import argoverse1_csv, argoverse2_parquet
from geo_lm4ve.traffic.batch import LANE_EDGES, TrackCategory, Turn
from geo_lm4ve.traffic.records.vector_map import VectorMap
from geo_lm4ve.traffic.synthetic.driving import STEP
from geo_lm4ve.traffic.synthetic.network import WIDTH, Town, build_town
from geo_lm4ve.traffic.synthetic.scene import Traffic, make_traffic

CITY = "SYN"
START = 315_970_000.0
"""Time stamp of the first scene [s]; scenes are a minute apart."""

AROUND = 80.0
"""Half side of the square of an Argoverse 2 map [m]."""


@dataclass(frozen=True)
class TrafficRecipe:
    """What determines the generated files.

    Attributes:
        train, val: scenes per split.
        seed: of town and scenes.
        version: of the generator.
    """

    train: int = 640
    val: int = 160
    seed: int = 0
    version: int = 1


def write_argoverse1(root: Path, recipe: TrafficRecipe) -> None:
    """Both splits and ``map_files`` in the layout of Argoverse 1, with rasters."""
    town = _town(recipe)
    _write_xml(root / "map_files" / f"pruned_argoverse_{CITY}_0_vector_map.xml", town.map)
    _write_rasters(root / "map_files", town.map)
    sizes = argoverse1_csv.HISTORY, argoverse1_csv.FUTURE
    for split, number, traffic, random in _scenes(town, recipe, *sizes, "Argoverse 1"):
        folder = root / split / "data"
        write_text(folder / f"{number + 1}.csv", _csv(traffic, START + 60 * number, random))


def write_argoverse2(root: Path, recipe: TrafficRecipe) -> None:
    """Both splits in the layout of Argoverse 2."""
    town = _town(recipe)
    sizes = argoverse2_parquet.HISTORY, argoverse2_parquet.FUTURE
    texts = _lane_texts(town.map)
    for split, number, traffic, random in _scenes(town, recipe, *sizes, "Argoverse 2"):
        name = str(uuid.UUID(bytes=random.bytes(16), version=4))
        folder = root / split / name
        with atomic_path(folder / f"scenario_{name}.parquet") as temporary:
            pyarrow.parquet.write_table(_table(traffic, name, START + 60 * number, sizes[0]), temporary)
        near = town.map.within(traffic.positions[0, sizes[0] - 1], AROUND)
        write_text(folder / f"log_map_archive_{name}.json", _map_json([texts[row] for row in near]))


def _town(recipe: TrafficRecipe) -> Town:
    return build_town(np.random.default_rng([recipe.seed, 0]))


def _scenes(
    town: Town, recipe: TrafficRecipe, history: int, future: int, layout: str
) -> Iterator[tuple[str, int, Traffic, np.random.Generator]]:
    for key, (split, count) in enumerate({"train": recipe.train, "val": recipe.val}.items()):
        for number in progress(range(count), f"making up {count} traffic scenes ({layout}, {split})"):
            random = np.random.default_rng([recipe.seed, 1 + key, number])
            yield split, number, make_traffic(town, history, future, random), random


def _rows(traffic: Traffic) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Step and track of every row, by step, then track."""
    step, track = np.nonzero(traffic.valid.T)
    return step, track


def _csv(traffic: Traffic, start: float, random: np.random.Generator) -> str:
    ids = [str(uuid.UUID(bytes=random.bytes(16), version=4)) for _ in traffic.types]
    roles = ["AGENT", "AV", *["OTHERS"] * (len(ids) - 2)]
    ids[1:2] = [str(uuid.UUID(int=0))] * len(ids[1:2])
    lines = [",".join(argoverse1_csv.COLUMNS)]
    for step, track in zip(*_rows(traffic)):
        x, y = traffic.positions[track, step].tolist()
        lines.append(f"{start + STEP * step:.3f},{ids[track]},{roles[track]},{x:.4f},{y:.4f},{CITY}")
    return "\n".join(lines) + "\n"


def _write_xml(path: Path, lanes: VectorMap) -> None:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<ArgoverseVectorMap>"]
    lines += [f'  <node id="{i}" x="{x!r}" y="{y!r}" />' for i, (x, y) in enumerate(lanes.points.tolist())]
    relatives = _relatives(lanes)
    for row, lane_id in enumerate(lanes.lane_ids.tolist()):
        turn, intersection, control, _ = lanes.attributes[row].tolist()
        of = relatives[row]
        tags = [
            ("has_traffic_control", bool(control)), ("turn_direction", Turn(turn).name.upper()),
            ("is_intersection", bool(intersection)),
            ("l_neighbor_id", next(iter(of["left"]), None)), ("r_neighbor_id", next(iter(of["right"]), None)),
            *(("predecessor", other) for other in of["predecessor"]),
            *(("successor", other) for other in of["successor"]),
        ]  # fmt: skip
        lines.append(f'  <way lane_id="{lane_id}">')
        lines += [f"    <tag k={quoteattr(key)} v={quoteattr(str(value))} />" for key, value in tags]
        lines += [f'    <nd ref="{node}" />' for node in range(lanes.ptr[row], lanes.ptr[row + 1])]
        lines.append("  </way>")
    write_text(path, "\n".join([*lines, "</ArgoverseVectorMap>"]) + "\n")


def _relatives(lanes: VectorMap) -> list[dict[str, list[int]]]:
    found: list[dict[str, list[int]]] = [{name: [] for name in LANE_EDGES} for _ in range(len(lanes))]
    for source, target, kind in lanes.links.tolist():
        found[source][LANE_EDGES[kind]].append(int(lanes.lane_ids[target]))
    return found


def _write_rasters(folder: Path, lanes: VectorMap) -> None:
    """Drivable: within 0.6 lane widths of a centreline."""
    corner = np.floor(lanes.points.min(0)) - 20
    columns, rows = (np.ceil(lanes.points.max(0)) + 20 - corner).astype(int)
    pixels = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) + corner
    dense = np.concatenate([_dense(lanes.centreline(row)) for row in range(len(lanes))])
    distance, _ = cKDTree(dense).query(pixels.reshape(-1, 2), distance_upper_bound=0.6 * WIDTH)
    to_image = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1]])
    arrays = {
        "driveable_area_mat": np.isfinite(distance).reshape(rows, columns).astype(np.float64),
        "npyimage_to_city_se2": to_image,
    }
    for what, array in arrays.items():
        with (
            atomic_path(folder / f"{CITY}_0_{what}_2019_05_28.npy") as temporary,
            temporary.open("wb") as file,
        ):
            np.save(file, array)


def _dense(centreline: NDArray[np.float64], between: int = 8) -> NDArray[np.float64]:
    share = np.linspace(0, len(centreline) - 1, between * len(centreline))
    return np.stack([np.interp(share, np.arange(len(centreline)), centreline[:, axis]) for axis in (0, 1)], -1)


def _table(traffic: Traffic, name: str, start: float, history: int) -> pa.Table:
    step, track = _rows(traffic)
    tracks, steps = traffic.valid.shape
    ids = np.array([str(100_000 + row) for row in range(tracks)], dtype=object)
    ids[1:2] = argoverse2_parquet.EGO
    categories = np.where(traffic.valid.all(1), TrackCategory.unscored, TrackCategory.fragment)
    categories[0] = TrackCategory.focal
    kinds = np.array([kind.name for kind in traffic.types], dtype=object)
    x, y = traffic.positions[track, step].T
    vx, vy = traffic.velocity[track, step].T
    columns = {
        "observed": step < history, "track_id": ids[track], "object_type": kinds[track],
        "object_category": categories[track].astype(np.int64), "timestep": step.astype(np.int64), "position_x": x,
        "position_y": y, "heading": traffic.heading[track, step], "velocity_x": vx, "velocity_y": vy,
    }  # fmt: skip
    constants = {
        "scenario_id": name, "start_timestamp": start * 1e9, "end_timestamp": (start + STEP * (steps - 1)) * 1e9,
        "num_timestamps": steps, "focal_track_id": ids[0], "city": CITY.lower(),
    }  # fmt: skip
    return pa.table({**columns, **{key: [value] * len(step) for key, value in constants.items()}})


@dataclass(frozen=True)
class _LaneText:
    """What one lane adds to the sections of a map, as JSON members."""

    lane_segments: str
    drivable_areas: str
    pedestrian_crossings: str


def _lane_texts(lanes: VectorMap) -> list[_LaneText]:
    """The JSON of every lane, made once for all maps that show it."""
    return [_lane_text(lanes, row, of) for row, of in enumerate(_relatives(lanes))]


def _lane_text(lanes: VectorMap, row: int, of: dict[str, list[int]]) -> _LaneText:
    line, lane_id = lanes.centreline(row), int(lanes.lane_ids[row])
    left, right = _moved(line, WIDTH / 2), _moved(line, -WIDTH / 2)
    segment = {
        "id": lane_id, "is_intersection": bool(lanes.attributes[row, 1]), "lane_type": "VEHICLE",
        "centerline": _points(line), "left_lane_boundary": _points(left), "right_lane_boundary": _points(right),
        "left_lane_mark_type": "NONE", "right_lane_mark_type": "NONE",
        "left_neighbor_id": next(iter(of["left"]), None), "right_neighbor_id": next(iter(of["right"]), None),
        "predecessors": of["predecessor"], "successors": of["successor"],
    }  # fmt: skip
    area = {"id": lane_id, "area_boundary": _points(np.concatenate([left[::3], right[::-3]]))}
    edges = {f"edge{number}": _points(np.stack([left[-number], right[-number]])) for number in (1, 2)}
    crossed = not lanes.attributes[row, 1] and len(of["successor"]) > 1

    def member(value: dict[str, object]) -> str:
        return f'"{lane_id}": {json.dumps(value)}'

    return _LaneText(member(segment), member(area), member({"id": lane_id, **edges}) if crossed else "")


def _map_json(texts: Sequence[_LaneText]) -> str:
    sections = []
    for field in fields(_LaneText):
        members = ", ".join(text for lane in texts if (text := getattr(lane, field.name)))
        sections.append(f'"{field.name}": {{{members}}}')
    return "{" + ", ".join(sections) + "}"


def _moved(line: NDArray[np.float64], left: float) -> NDArray[np.float64]:
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    return line + left * np.stack([-along[:, 1], along[:, 0]], -1)


def _points(line: NDArray[np.float64]) -> list[dict[str, float]]:
    return [{"x": x, "y": y, "z": 0.0} for x, y in line.round(2).tolist()]
