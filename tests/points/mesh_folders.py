"""Small folders of meshes with a sub-folder for each class."""

import json
from pathlib import Path

import h5py
import numpy as np
import trimesh

from geo_lm4ve.geometry.solids.mesh import Mesh, box, cylinder
from geo_lm4ve.prepare.base import find

FORMATS = ("off", "stl", "obj", "ply", "glb")
CLASSES = ("box", "can")


def solid(kind: str, number: int) -> Mesh:
    size = 1 + 0.1 * number
    return box(1, 2, size) if kind == "box" else cylinder(1, size, 8)


def write_mesh(path: Path, mesh: Mesh) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(path)
    return path


def write_meshes(root: Path, count: int = 5, place: str = "{kind}", formats: tuple[str, ...] = FORMATS) -> Path:
    """``count`` meshes of each class, in formats that take turns."""
    for kind in CLASSES:
        for number in range(count):
            name = f"{kind}_{number:04}.{formats[number % len(formats)]}"
            write_mesh(root / place.format(kind=kind) / name, solid(kind, number))
    return root


def cut_off(path: Path, of: Path) -> Path:
    """The first half of a file."""
    content = of.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def write_resampled(root: Path, name: str, counts: dict[str, tuple[int, int]], points: int = 12) -> Path:
    """A release of normal-resampled clouds; counts are train and test of each class."""
    lists: dict[str, list[str]] = {"train": [], "test": []}
    random = np.random.default_rng(0)
    for kind, (train, test) in counts.items():
        (root / kind).mkdir(parents=True)
        for number in range(train + test):
            cloud = f"{kind}_{number + 1:04}"
            lists["train" if number < train else "test"].append(cloud)
            normals = random.normal(size=(points, 3))
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            rows = np.hstack([random.normal(size=(points, 3)), normals])
            np.savetxt(root / kind / f"{cloud}.txt", rows, delimiter=",", fmt="%.6f")
    for split, names in lists.items():
        (root / f"{name}_{split}.txt").write_text("\n".join(names))
    (root / f"{name}_shape_names.txt").write_text("\n".join(counts) + "\n")
    return root


def prepare(source, out, **settings):
    """The report of a preparation with small clouds."""
    preparer = type(find("folder"))()
    preparer.points = 64
    for key, value in settings.items():
        assert hasattr(preparer, key)
        setattr(preparer, key, value)
    preparer.prepare(out, source)
    return json.loads((out / "report.json").read_text())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows_of(out):
    """name -> (points, normals, label, split)"""
    found = {}
    for path in sorted(out.glob("ply_data_*.h5")):
        record = json.loads(path.with_suffix(".json").read_text())
        with h5py.File(path) as file:
            assert len(record["rows"]) == len(file["data"])
            for number, row in enumerate(record["rows"]):
                value = file["data"][number], file["normal"][number], file["label"][number, 0], path.name[9:13]
                found[row["file"]] = value
    return found
