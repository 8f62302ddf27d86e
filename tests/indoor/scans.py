"""Small scans in ScanNet's file layout, and questions about them in ScanQA's and SQA3D's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

TURN = 0.5
TURNED = np.array(
    [[np.cos(TURN), -np.sin(TURN), 0, 1.0], [np.sin(TURN), np.cos(TURN), 0, -2.0], [0, 0, 1, 0.25], [0, 0, 0, 1]]
)
"""An axis alignment."""


@dataclass
class Thing:
    """A box in a scan: its label and, aligned, centre and size [m]."""

    label: str
    center: tuple[float, float, float]
    size: tuple[float, float, float]
    color: tuple[int, int, int] = (120, 60, 30)


ROOM = (
    Thing("floor", (0, 0, 0), (4, 4, 0.1)),
    Thing("chair", (1, 1, 0.5), (0.5, 0.6, 1.0), (200, 0, 0)),
    Thing("table", (-1, 0.5, 0.4), (1.2, 0.8, 0.7), (0, 200, 0)),
    Thing("gizmo", (0, -1, 0.3), (0.3, 0.3, 0.6)),
    Thing("wall", (2, 0, 1), (0.1, 4, 2)),
    Thing("couch", (-1, -1.5, 0.4), (1.0, 0.6, 0.8)),
)
"""Floor and wall are no objects; nothing maps ``gizmo``."""


def surface(thing: Thing, steps: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (n, 3) and triangles (m, 3) of a box, a grid on each side."""
    points, faces = [], []
    grid = np.linspace(-0.5, 0.5, steps)
    corner = np.arange(steps * steps).reshape(steps, steps)
    for axis in range(3):
        for sign in (-0.5, 0.5):
            one, other = np.meshgrid(grid, grid, indexing="ij")
            side = np.insert(np.stack([one.ravel(), other.ravel()], 1), axis, sign, axis=1)
            a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]))
            start = sum(map(len, points))
            faces += [np.stack([a, b, c], 1) + start, np.stack([a, c, d], 1) + start]
            points.append(side * np.array(thing.size) + np.array(thing.center))
    return np.concatenate(points), np.concatenate(faces)


def write_ply(path: Path, points: Any, colors: Any, faces: Any, form: str = "binary_little_endian") -> Path:
    """A PLY as ScanNet writes it, with an alpha that nobody reads."""
    head = ["ply", f"format {form} 1.0", "comment made for a test", f"element vertex {len(points)}"]
    head += [f"property float {name}" for name in "xyz"]
    head += [f"property uchar {name}" for name in ("red", "green", "blue", "alpha")]
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    if form == "ascii":
        rows = [" ".join(map(repr, map(float, p))) + " {} {} {} 255".format(*c) for p, c in zip(points, colors)]
        rows += [f"3 {a} {b} {c}" for a, b, c in faces]
        path.write_text("\n".join(head) + "\n".join(rows) + "\n")
        return path
    order = "<" if form == "binary_little_endian" else ">"
    vertices = np.zeros(len(points), [("xyz", f"{order}f4", 3), ("rgb", "u1", 3), ("alpha", "u1")])
    vertices["xyz"], vertices["rgb"], vertices["alpha"] = points, colors, 255
    triangles = np.zeros(len(faces), [("n", "u1"), ("corners", f"{order}i4", 3)])
    triangles["n"], triangles["corners"] = 3, faces
    path.write_bytes("\n".join(head).encode() + vertices.tobytes() + triangles.tobytes())
    return path


def write_scan(
    scans: Path,
    name: str,
    things: Any = ROOM,
    *,
    alignment: np.ndarray | None = TURNED,
    form: str = "binary_little_endian",
) -> Path:
    """One scan whose raw axes lie as ``alignment`` says; None: it says nothing."""
    folder = scans / name
    folder.mkdir(parents=True)
    parts = [surface(thing) for thing in things]
    starts = np.cumsum([0, *(len(points) for points, _ in parts)])
    aligned = np.concatenate([points for points, _ in parts])
    matrix = np.eye(4) if alignment is None else alignment
    raw = (aligned - matrix[:3, 3]) @ matrix[:3, :3]
    faces = np.concatenate([corners + start for (_, corners), start in zip(parts, starts)])
    colors = np.concatenate([np.tile(thing.color, (len(points), 1)) for thing, (points, _) in zip(things, parts)])
    write_ply(folder / f"{name}_vh_clean_2.ply", raw, colors, faces, form)
    segments = np.concatenate([np.arange(len(points)) // 20 + 10 * row for row, (points, _) in enumerate(parts)])
    groups = [
        {"id": row, "objectId": row, "segments": sorted(set(segments[start:stop].tolist())), "label": thing.label}
        for row, (thing, start, stop) in enumerate(zip(things, starts, starts[1:]))
    ]
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(json.dumps({"segIndices": segments.tolist()}))
    (folder / f"{name}.aggregation.json").write_text(json.dumps({"sceneId": f"scannet.{name}", "segGroups": groups}))
    words = "" if alignment is None else f"axisAlignment = {' '.join(f'{one:.6f}' for one in alignment.ravel())}\n"
    (folder / f"{name}.txt").write_text(f"{words}sceneType = Office\n")
    return folder


@dataclass
class Asking:
    """Question files of one split."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, scan: str, answers: list[str], objects: list[int] | None = None, **more: Any) -> Asking:
        """One more question."""
        number = len(self.rows)
        row = {"scene_id": scan, "question": f"What is number {number}?", "answers": answers, **more}
        self.rows.append({**row, "object_ids": objects or [], "object_names": ["thing"] * len(objects or [])})
        return self

    def scanqa(self, folder: Path, split: str) -> Asking:
        """Write them in ScanQA's layout."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{"question_id": f"{split}-{number}", **row} for number, row in enumerate(self.rows)]
        (folder / f"ScanQA_v1.0_{split}.json").write_text(json.dumps(rows))
        return self

    def sqa3d(self, folder: Path, split: str) -> Asking:
        """Write them in SQA3D's layout; ``position`` and ``rotation`` where a row has them, else placeholders."""
        folder.mkdir(parents=True, exist_ok=True)
        questions, annotations = [], []
        for number, row in enumerate(self.rows):
            about = {"scene_id": row["scene_id"], "question_id": 220600000000 + number}
            situation = {"situation": f"I am at {number}.", "alternative_situation": [], "question": row["question"]}
            questions.append({**about, **situation})
            turn = dict(zip(("_w", "_x", "_y", "_z"), row.get("rotation", (1, 0, 0, 0))))
            place = dict(zip("xyz", row.get("position", (0, 0, 0))))
            answers = [{"answer": one, "answer_confidence": "yes", "answer_id": 1} for one in row["answers"]]
            annotations.append({**about, "answers": answers, "rotation": turn, "position": place})
        for word, rows in (("questions", questions), ("annotations", annotations)):
            name = "questions" if word == "questions" else "sqa_annotations"
            (folder / f"v1_balanced_{name}_{split}_scannetv2.json").write_text(json.dumps({word: rows}))
        return self


def asked() -> tuple[Asking, Asking]:
    """Questions of train (three scans) and val (one), about chairs (object 1), tables (2) and couches (5)."""
    train, val = Asking(), Asking()
    for number in range(10):
        pose = {"position": (0.5, -0.25 * number, 0), "rotation": (np.cos(number), 0, 0, np.sin(number))}
        train.ask(
            f"scene000{number % 3}_00", [("chair", "table", "brown")[number % 3]], [(1, 2, 5)[number % 3]], **pose
        )
    for answers in (["chair"], ["blue", "table"], ["never heard"]):
        val.ask("scene0003_00", answers, [2], position=(1, 2, 0), rotation=(1, 0, 0, 0))
    return train, val


def write_all(folder: Path, layout: str = "scanqa") -> tuple[Path, Path]:
    """Folder of questions and folder of scans: three for train, one for val, each a little different."""
    for number in range(4):
        moved = [
            Thing(one.label, (one.center[0] + 0.01 * number, *one.center[1:]), one.size, one.color) for one in ROOM
        ]
        write_scan(folder / "scans", f"scene000{number}_00", moved)
    for split, one in zip(("train", "val"), asked()):
        getattr(one, layout)(folder / "qa", split)
    return folder / "qa", folder / "scans"
