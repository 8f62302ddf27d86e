"""One stored traffic scene into the target's frame, by arrays against loops over points.

  python benchmarks/scene_vectorise.py                              (a few seconds; 32 random scenes)
  python benchmarks/scene_vectorise.py --root datasets/argoverse1/raw   (scenes of Argoverse 1 val)

Both start from what the cache holds and give the same numbers, which is checked: the target's heading, all positions of
all agents in its frame, which agents and lanes are within 100 m, their points, headings and velocities, and the links
between the lanes. The loops go over numpy arrays, as the preprocessing of most projects does, and in the same function
over lists of floats that were made of them before the clock started, which is as fast as loops in Python get. Ours is
measured on one scene at a time and on batches of 32, as in training; it also makes the heterogeneous graph and decodes
the track ids. Times are CPU time on one thread, medians over interleaved rounds.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import circumstances, interleaved
from rich.console import Console
from rich.table import Table

from geo_lm4ve.files import write_json
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.cache.pack import ScenePack, unpack_bits
from geo_lm4ve.traffic.cache.packing import Scene, pack_scenes
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.vector_map import Lane, VectorMap
from geo_lm4ve.traffic.view.assembly import assemble
from geo_lm4ve.traffic.view.conventions import SceneView

RESULTS = Path(__file__).parent / "results" / "scene_vectorise.json"
SCENES, AGENTS, LANES, HISTORY, FUTURE, RADIUS, MIN_MOVE = 32, 30, 150, 20, 30, 100.0, 0.5


def random_scene(seed: int) -> Scene:
    """30 agents over 50 steps among 150 linked lanes of 10 points."""
    random = np.random.default_rng(seed)
    centre = random.uniform(1000, 3000, 2)
    velocity = random.normal(0, 0.7, (AGENTS, 1, 2))
    time_axis = np.arange(1 - HISTORY, FUTURE + 1)[None, :, None]
    start = random.uniform(-90, 90, (AGENTS, 1, 2)) * (np.arange(AGENTS) > 0)[:, None, None]
    valid = random.random((AGENTS, HISTORY + FUTURE)) > 0.1
    valid[0], valid[:, HISTORY - 1] = True, True
    recording = Recording(
        str(seed), "PIT", HISTORY, [str(row) for row in range(AGENTS)], np.zeros(AGENTS, np.int8),
        np.full(AGENTS, -1, np.int8), (centre + start + velocity * time_axis) * valid[..., None], valid,
        random.uniform(-3, 3, AGENTS), velocity[:, 0] * 10, 0.1 * np.arange(HISTORY), -1,
    )  # fmt: skip
    lanes = []
    for row in range(LANES):
        line = centre + random.uniform(-80, 80, 2) + random.normal(0, 1, (10, 2)).cumsum(0)
        links = {"successor": [(row + 1) % LANES], "predecessor": [(row - 1) % LANES]}
        lanes.append(Lane(row, line, links=links))
    return Scene(recording, VectorMap.of(lanes, "random"))


def arrays_of(pack: ScenePack, scene: int) -> dict[str, Any]:
    """One scene of a pack as numpy arrays."""
    agents = range(*pack.agent_ptr[scene : scene + 2].tolist())
    view = pack.lane_view[pack.lane_ptr[scene] : pack.lane_ptr[scene + 1]].tolist()
    mine = slice(agents.start, agents.stop)
    links = torch.stack([pack.link_target, pack.link_kind.long()], 1).numpy()
    return {
        "tracks": [pack.positions[pack.step_ptr[row] : pack.step_ptr[row + 1]].numpy() for row in agents],
        "valid": list(unpack_bits(pack.valid_bits[mine])[:, : HISTORY + FUTURE].numpy()),
        "heading": pack.heading[mine].numpy(), "velocity": pack.velocity[mine].numpy(), "view": view,
        "origin": pack.reference[scene].numpy(), "anchors": pack.anchor[view].numpy(),
        "lanes": [pack.points[pack.point_ptr[row] : pack.point_ptr[row + 1]].numpy() for row in view],
        "links": [links[pack.link_ptr[row] : pack.link_ptr[row + 1]] for row in view],
    }  # fmt: skip


def listed(scene: dict[str, Any]) -> dict[str, Any]:
    """The same as lists of floats."""
    return {
        name: values.tolist() if isinstance(values, np.ndarray)
        else [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
        for name, values in scene.items()
    }  # fmt: skip


def by_loops(scene: dict[str, Any]) -> dict[str, Any]:
    """The same scene in the target's frame, point by point."""
    observed = scene["tracks"][0][:HISTORY]
    angle = 0.0
    for x, y in reversed(observed[:-1]):
        if math.hypot(observed[-1][0] - x, observed[-1][1] - y) >= MIN_MOVE:
            angle = math.atan2(observed[-1][1] - y, observed[-1][0] - x)
            break
    cos, sin = math.cos(angle), math.sin(angle)
    agents, headings, velocities = [], [], []
    for row, valid in enumerate(scene["valid"]):
        positions, place = [], 0
        for seen in valid:
            if seen:
                x, y = scene["tracks"][row][place]
                positions.append((cos * x + sin * y, -sin * x + cos * y))
                place += 1
            else:
                positions.append((0.0, 0.0))
        x, y = positions[HISTORY - 1]
        if row == 0 or (valid[HISTORY - 1] and abs(x) <= RADIUS and abs(y) <= RADIUS):
            agents.append(positions)
            headings.append((scene["heading"][row] - angle + math.pi) % (2 * math.pi) - math.pi)
            vx, vy = scene["velocity"][row]
            velocities.append((cos * vx + sin * vy, -sin * vx + cos * vy))
    lanes, kept = [], {}
    for row, number in enumerate(scene["view"]):
        points, inside = [], True
        for x, y in scene["lanes"][row]:
            dx = x + scene["anchors"][row][0] - scene["origin"][0]
            dy = y + scene["anchors"][row][1] - scene["origin"][1]
            if abs(dx) > RADIUS or abs(dy) > RADIUS:
                inside = False
                break
            points.append((cos * dx + sin * dy, -sin * dx + cos * dy))
        if inside:
            kept[number] = len(lanes)
            lanes.append(points)
    edges: list[list[tuple[int, int]]] = [[], [], [], []]
    for row, number in enumerate(scene["view"]):
        if number in kept:
            for target, kind in scene["links"][row]:
                if target in kept:
                    edges[kind].append((kept[number], kept[target]))
    return {"agents": agents, "headings": headings, "velocities": velocities, "lanes": lanes, "edges": edges}


def check_equal(loops: dict[str, Any], ours: SceneBatch) -> None:
    """Both versions must agree."""
    agent, lane = ours.graph["agent"], ours.graph["lane"]
    found = torch.cat([agent.history, agent.future], 1)
    torch.testing.assert_close(found, torch.tensor(loops["agents"]), atol=1e-4, rtol=0)
    torch.testing.assert_close(agent.heading, torch.tensor(loops["headings"]), atol=1e-5, rtol=0)
    torch.testing.assert_close(agent.velocity, torch.tensor(loops["velocities"]), atol=1e-4, rtol=0)
    for points, valid, expected in zip(lane.points, lane.points_valid, loops["lanes"], strict=True):
        torch.testing.assert_close(points[valid], torch.tensor(expected), atol=1e-4, rtol=0)
    successors = ours.graph["lane", "successor", "lane"].edge_index.T.tolist()
    assert successors == [list(edge) for edge in loops["edges"][0]]


def measure(pack: ScenePack, repeats: int) -> dict[str, float]:
    """CPU milliseconds per scene."""
    view, rows = SceneView(), torch.arange(len(pack))
    scenes = [arrays_of(pack, row) for row in range(len(pack))]
    lists = [listed(scene) for scene in scenes]
    for row in range(len(pack)):
        check_equal(by_loops(lists[row]), assemble(pack, rows[row : row + 1], rows[:1], view, FUTURE))
    contenders = {
        "loops over arrays": lambda: [by_loops(scene) for scene in scenes],
        "loops over lists made before": lambda: [by_loops(scene) for scene in lists],
        "geo_lm4ve, one scene": lambda: [
            assemble(pack, rows[r : r + 1], rows[:1], view, FUTURE) for r in range(len(rows))
        ],
        f"geo_lm4ve, batch of {len(pack)}": lambda: assemble(pack, rows, rows, view, FUTURE),
    }
    seconds = interleaved(contenders, repeats, time.process_time)
    return {name: round(1000 * value / len(pack), 4) for name, value in seconds.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--root", type=Path, help="Argoverse 1 files instead of random scenes")
    options.add_argument("--repeats", type=int, default=15)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    if arguments.root:
        files = Argoverse1Config(root=str(arguments.root)).files("val")
        scenes = [files.scene(item) for item in files.items[:SCENES]]
    else:
        scenes = [random_scene(seed) for seed in range(SCENES)]
    pack = pack_scenes(scenes)
    per_scene = measure(pack, arguments.repeats)
    loops = per_scene["loops over arrays"]
    sizes = {"agents": len(pack.heading) / SCENES, "lanes near by": len(pack.lane_view) / SCENES}
    table = Table("per scene", "CPU ms", "loops / this", title=f"{sizes} on average")
    for name, value in per_scene.items():
        table.add_row(name, f"{value:.3f}", f"{loops / value:.1f}")
    Console().print(table)
    if not arguments.root:
        results = {
            "circumstances": circumstances(),
            "repeats": arguments.repeats,
            **sizes,
            "cpu_ms_per_scene": per_scene,
        }
        write_json(RESULTS, results)


if __name__ == "__main__":
    main()
