"""A scan in the four files that ScanNet has for each, and the table of categories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from geo_lm4ve.files import atomic_path, write_text
from geo_lm4ve.indoor.synthetic.kinds import KINDS, SHELL
from geo_lm4ve.indoor.synthetic.scan import Scan

LABELS = "scannetv2-labels.combined.tsv"
"""Name of the table of categories."""
_CHANNELS = ("red", "green", "blue", "alpha")


def write_scan(folder: Path, name: str, scan: Scan) -> None:
    """``NAME_vh_clean_2.ply``, ``NAME_vh_clean_2.0.010000.segs.json``, ``NAME.aggregation.json`` and ``NAME.txt``."""
    with atomic_path(folder / f"{name}_vh_clean_2.ply") as temporary:
        temporary.write_bytes(_ply(scan))
    segments = f"{name}_vh_clean_2.0.010000.segs.json"
    cut = {"kThresh": "0.0001", "segMinVerts": "20"}
    _write(folder / segments, {"params": cut, "sceneId": name, "segIndices": scan.segments.tolist()})
    aggregation = {
        "sceneId": f"scannet.{name}", "appId": "Aggregator.v2", "segGroups": _groups(scan),
        "segmentsFile": f"scannet.{segments}",
    }  # fmt: skip
    _write(folder / f"{name}.aggregation.json", aggregation)
    numbers = " ".join(f"{number:.6f}" for number in scan.alignment.ravel().tolist())
    lines = [f"axisAlignment = {numbers} ", "numColorFrames = 0", "numDepthFrames = 0", "sceneType = Synthetic"]
    write_text(folder / f"{name}.txt", "\n".join(lines) + "\n")


def write_labels(path: Path) -> None:
    """The columns of ScanNet's table that say which class of NYU40 a raw category is, for the categories there are."""
    rows = [(name, str(kind.nyu40), kind.nyu40_name) for name, kind in KINDS.items()]
    rows += [(name, str(number), name) for name, number in SHELL.items()]
    numbered = [(str(number), *row) for number, row in enumerate(sorted(rows), 1)]
    lines = [("id", "raw_category", "nyu40id", "nyu40class"), *numbered]
    write_text(path, "\n".join("\t".join(line) for line in lines) + "\n")


def _ply(scan: Scan) -> bytes:
    vertex = np.zeros(len(scan.vertices), [("xyz", "<f4", 3), ("rgb", "u1", 3), ("alpha", "u1")])
    vertex["xyz"], vertex["rgb"], vertex["alpha"] = scan.vertices, scan.colors, 255
    face = np.zeros(len(scan.faces), [("corners", "u1"), ("rows", "<i4", 3)])
    face["corners"], face["rows"] = 3, scan.faces
    lines = [
        "ply", "format binary_little_endian 1.0", "comment a made-up room", f"element vertex {len(vertex)}",
        *(f"property float {axis}" for axis in "xyz"), *(f"property uchar {channel}" for channel in _CHANNELS),
        f"element face {len(face)}", "property list uchar int vertex_indices", "end_header",
    ]  # fmt: skip
    return "\n".join(lines).encode() + b"\n" + vertex.tobytes() + face.tobytes()


def _groups(scan: Scan) -> list[dict[str, Any]]:
    return [
        {"id": row, "objectId": row, "segments": np.unique(scan.segments[scan.objects == row]).tolist(), "label": label}
        for row, label in enumerate(scan.labels)
    ]


def _write(path: Path, value: dict[str, Any]) -> None:
    write_text(path, json.dumps(value))
