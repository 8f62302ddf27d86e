"""Tiny splits in both official layouts: one straight-driving target per scene, and some company."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "TIMESTAMP,TRACK_ID,OBJECT_TYPE,X,Y,CITY_NAME"


def path_of(scene, steps, start=(100.0, 200.0)):
    """Positions of the target of scene number ``scene``: (3 + scene) m/s along x."""
    x = start[0] + (3.0 + scene) * 0.1 * np.arange(steps)
    return np.stack([x, np.full(steps, start[1] + scene)], -1)


def write_argoverse1_split(folder, scenes=4, steps=50):
    """Sequences 0, 10, 20, ...; cities alternate."""
    (folder / "data").mkdir(parents=True)
    for scene in range(scenes):
        city = ("PIT", "MIA")[scene % 2]
        track = path_of(scene, steps)
        rows = [HEADER]
        for step, (x, y) in enumerate(track):
            rows.append(f"{315968000 + 0.1 * step:.1f},agent,AGENT,{x:.4f},{y:.4f},{city}")
            rows.append(f"{315968000 + 0.1 * step:.1f},other,OTHERS,{x + 9:.4f},{y:.4f},{city}")
        (folder / "data" / f"{10 * scene}.csv").write_text("\n".join(rows) + "\n")
    return folder


def write_argoverse1_map(root):
    """A lane along the targets' way in both cities."""
    (root / "map_files").mkdir()
    values = {
        "has_traffic_control": False, "turn_direction": "NONE", "is_intersection": False, "l_neighbor_id": None,
        "r_neighbor_id": None,
    }  # fmt: skip
    tags = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in values.items())
    nodes = "".join(f'<node id="{i}" x="{90 + 5 * i}" y="200"/>' for i in range(10))
    references = "".join(f'<nd ref="{i}"/>' for i in range(10))
    content = f'<ArgoverseVectorMap>{nodes}<way lane_id="1">{tags}{references}</way></ArgoverseVectorMap>'
    for city, number in (("PIT", 10314), ("MIA", 10316)):
        (root / "map_files" / f"pruned_argoverse_{city}_{number}_vector_map.xml").write_text(content)


def write_argoverse2_split(folder, scenes=3, steps=110):
    """Scenarios s0, s1, ...: focal track "7", scored "8" nine metres ahead, a fragment; a square drivable area."""
    for scene in range(scenes):
        name = f"s{scene}"
        (folder / name).mkdir(parents=True)
        rows = []
        for track, category, shift in (("7", 3, 0.0), ("8", 2, 9.0), ("9", 0, 30.0)):
            for step, (x, y) in enumerate(path_of(scene, steps)[: 20 if category == 0 else None]):
                rows.append((step < 50, track, "vehicle", category, step, x + shift, y, 0.0, 3.0 + scene, 0.0))
        names = (
            "observed", "track_id", "object_type", "object_category", "timestep", "position_x", "position_y",
            "heading", "velocity_x", "velocity_y",
        )  # fmt: skip
        table = dict(zip(names, map(list, zip(*rows))))
        constant = {
            "scenario_id": name, "start_timestamp": 0.0, "end_timestamp": 1.1e10, "num_timestamps": 110,
            "focal_track_id": "7", "city": "austin",
        }  # fmt: skip
        table |= {key: [value] * len(rows) for key, value in constant.items()}
        pq.write_table(pa.table(table), folder / name / f"scenario_{name}.parquet")
        corners = [{"x": x, "y": y, "z": 0.0} for x, y in ((0, 0), (300, 0), (300, 300), (0, 300))]
        surfaces = {"drivable_areas": {"1": {"id": 1, "area_boundary": corners}}, "pedestrian_crossings": {}}
        map_file = folder / name / f"log_map_archive_{name}.json"
        map_file.write_text(json.dumps({"lane_segments": {}, **surfaces}))
    return folder
