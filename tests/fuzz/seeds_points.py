"""Clouds, splits of ModelNet40's layout, and what lies beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from mutate import BYTES
from mutate_hdf5 import HDF5
from mutate_packed import GLB, SAFETENSORS
from mutate_text import JSON, TEXT
from seed import Seed

from geo_lm4ve.data.generated import Generated
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.geometry.meshes import Cloud, read_points
from geo_lm4ve.points.files import NAMES, Clouds, count_clouds, read_clouds, read_names, read_split
from geo_lm4ve.points.order import fps_order, read_order
from geo_lm4ve.points.prepare.scanobjectnn import read_list
from geo_lm4ve.points.scanobjectnn import NAMES as SCANNED
from geo_lm4ve.points.scanobjectnn import Variant
from geo_lm4ve.points.stored import own_features
from geo_lm4ve.prepare.manifest import Manifest, read_manifest

POINTS = ("geo_lm4ve.geometry.meshes.read_points",)
OWN = (*POINTS, "geo_lm4ve.points.stored.own_features")
CLOUD = np.random.default_rng(0).normal(size=(40, 3))
STORED = torch.tensor(CLOUD, dtype=torch.float32).reshape(2, 20, 3)
RECIPE: dict[str, Any] = {"seed": 0, "turn": 15.0, "parts": [1]}
CLASSES = ("chair", "flower_pot", "cone")


def _file(name: str, write: Callable[[Path], Any]) -> Callable[[Path], Path]:
    def written(folder: Path) -> Path:
        write(folder / name)
        return folder / name

    return written


def _mesh(suffix: str, **how: Any) -> Callable[[Path], Path]:
    def write(path: Path) -> None:
        import trimesh

        trimesh.creation.icosphere(subdivisions=1).export(path, **how)

    return _file(f"mesh.{suffix}", write)


def _ply(folder: Path) -> Path:
    """Points with colours, and polygons of three and four corners."""
    rows = "\n".join(f"{x:.4f} {y:.4f} {z:.4f} 255 0 7" for x, y, z in CLOUD)
    colours = "\n".join(f"property uchar {name}" for name in ("red", "green", "blue"))
    head = f"ply\nformat ascii 1.0\ncomment TextureFile ../t.png\nelement vertex {len(CLOUD)}\nproperty float x"
    faces = "\n".join(("element face 3", "property list uchar int vertex_indices", "end_header"))
    path = folder / "coloured.ply"
    path.write_text(
        f"{head}\nproperty float y\nproperty float z\n{colours}\n{faces}\n{rows}\n3 0 1 2\n4 3 4 5 6\n3 7 8 9\n"
    )
    return path


def _carrying(path: Path) -> None:
    """A mesh whose vertices have normals and colours, in binary."""
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=1)
    ball.visual.vertex_colors = np.random.default_rng(3).integers(0, 256, (len(ball.vertices), 4)).astype(np.uint8)
    ball.export(path, vertex_normal=True)


def _scanned(path: Path) -> None:
    """Points with normals and colours as text, one normal unknown."""
    names = ("x", "y", "z", "nx", "ny", "nz", "red", "green", "blue")
    head = "\n".join(f"property {'uchar' if name in names[6:] else 'float'} {name}" for name in names)
    rows = "\n".join(f"{x:.4f} {y:.4f} {z:.4f} {y:.4f} {z:.4f} {x:.4f} 255 0 7" for x, y, z in CLOUD[1:])
    start = f"ply\nformat ascii 1.0\nelement vertex {len(CLOUD)}\n{head}\nend_header\n0 0 0 nan nan nan 1 2 3"
    path.write_text(f"{start}\n{rows}\n")


def _read_carried(path: Path) -> torch.Tensor:
    cloud = read_points(path, mesh_points=64, kinds=("normal", "color"))
    features = own_features(path, cloud, ("color", "normal"))
    assert features is not None
    assert features.isfinite().all(), "features that are not finite"
    assert ((features[:, :3] >= 0) & (features[:, :3] <= 1)).all(), "a color out of range"
    lengths = features[:, 3:].norm(dim=-1)
    assert ((lengths == 0) | ((lengths - 1).abs() < 1e-3)).all(), "normals that are none"
    return features


def _obj(folder: Path) -> Path:
    """Two objects with a material, textures and normals."""
    vertices = "\n".join(f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in CLOUD)
    path = folder / "parts.obj"
    path.write_text(
        f"# parts\nmtllib parts.mtl\n{vertices}\nvt 0 0\nvn 0 0 1\no seat\nusemtl wood\nf 1 2 3\nf 4/1 5/1 6/1 7/1\n"
        "g leg\nf 8//1 9//1 10//1\nf -3 -2 -1\nf 11/1/1 12/1/1 13/1/1\n"
    )
    return path


def _stl(folder: Path) -> Path:
    path = folder / "solid.stl"
    corners = [f"vertex {x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in CLOUD[:39]]
    loops = ("".join(corners[at : at + 3]) for at in range(0, 39, 3))
    facets = "".join(f"facet normal 0 0 1\nouter loop\n{loop}endloop\nendfacet\n" for loop in loops)
    path.write_text(f"solid thing\n{facets}endsolid thing\n")
    return path


def _scene() -> Any:
    """Two objects, one of them turned, mirrored and below the other."""
    import trimesh

    scene, ball = trimesh.Scene(), trimesh.creation.icosphere(subdivisions=1)
    scene.add_geometry(ball, node_name="seat", transform=trimesh.transformations.rotation_matrix(1.0, [1, 2, 3]))
    scene.add_geometry(ball, node_name="leg", parent_node_name="seat", transform=np.diag([-1.0, 2.0, 3.0, 1.0]))
    scene.add_geometry(trimesh.creation.box(), node_name="back")
    return scene


def _gltf(folder: Path) -> Path:
    """As text, with its buffers beside it."""
    for name, content in _scene().export(file_type="gltf").items():
        (folder / name).write_bytes(content)
    return folder / "model.gltf"


def _one_cloud(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["data"], file["normal"] = CLOUD[None].astype(np.float32), np.tile([[0, 0, 1.0]], (len(CLOUD), 1))


def _read(path: Path) -> Cloud:
    cloud = read_points(path, mesh_points=64)
    assert torch.isfinite(cloud.points).all(), "coordinates that are not finite"
    assert cloud.points.dtype == torch.float32
    assert cloud.normals is None or torch.isfinite(cloud.normals).all(), "normals that are not finite"
    return cloud


def _split(folder: Path) -> Path:
    """As the release has them: deflated chunks, label (n, 1), other keys beside."""
    random = np.random.default_rng(1)
    (folder / NAMES).write_text("\n".join(CLASSES) + "\n")
    for part in (0, 1):
        with h5py.File(folder / f"ply_data_train{part}.h5", "w") as file:
            data = random.normal(size=(6, 16, 3)).astype(np.float32)
            file.create_dataset("data", data=data, chunks=(3, 16, 2), compression="gzip", shuffle=True)
            file.create_dataset("label", data=np.arange(6, dtype=np.uint8).reshape(6, 1) % 3, compression="gzip")
            file["faceId"] = np.zeros((6, 16), np.int32)
    return folder / "ply_data_train1.h5"


def _read_split(path: Path) -> Clouds:
    count_clouds(path.parent)
    clouds = read_split(path.parent, "train", read_names(path.parent))
    assert torch.isfinite(clouds.points).all()
    assert clouds.labels.dtype == torch.int64
    assert (clouds.labels >= 0).all()
    assert (clouds.labels < len(CLASSES)).all()
    assert len(clouds.points) == len(clouds.labels)
    return clouds


def _one_with_features(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["data"], file["rgb"] = CLOUD[None].astype(np.float32), np.full((1, len(CLOUD), 3), 200, np.uint8)
        file["intensity"] = np.linspace(-1, 1, len(CLOUD), dtype=np.float32)[None]


def _table_with_features(path: Path) -> None:
    colors = np.random.default_rng(2).integers(0, 256, (len(CLOUD), 3))
    np.savetxt(path, np.concatenate([CLOUD, colors, CLOUD[:, :1]], axis=1), fmt="%.4f")


def _read_features(path: Path) -> torch.Tensor:
    features = own_features(path, read_points(path), ("color", "intensity"))
    assert features is not None
    assert features.isfinite().all(), "features that are not finite"
    assert features.dtype == torch.float32
    assert ((features[:, :3] >= 0) & (features[:, :3] <= 1)).all(), "a color out of range"
    return features


def _scans(folder: Path) -> Path:
    """ScanObjectNN's hardest variant, with normals beside what it has."""
    random, path = np.random.default_rng(1), folder / Variant.pb_t50_rs.file("test")
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        file["data"], file["normal"] = random.normal(size=(2, 6, 16, 3)).astype(np.float32)
        file["label"], file["mask"] = np.arange(6, dtype=np.int32), np.zeros((6, 16), np.float32)
    return path


def _read_scans(path: Path) -> Clouds:
    clouds = read_clouds([path], SCANNED, ("normal",), "ScanObjectNN")
    assert clouds.features is not None
    assert clouds.features.shape == clouds.points.shape
    lengths = clouds.features.norm(dim=-1)
    assert ((lengths == 0) | ((lengths - 1).abs() < 1e-3)).all(), "normals that are none"
    assert ((clouds.labels >= 0) & (clouds.labels < len(SCANNED))).all()
    return clouds


def _list(folder: Path) -> Path:
    rows = [f"scene{row:04}_{row % 7}.bin\t{row % 15}" + "\tt" * (row % 4 == 0) for row in range(24)]
    (folder / "split_new.txt").write_text("\n".join(rows) + "\n")
    return folder / "split_new.txt"


def _read_list(path: Path) -> dict[str, int]:
    counts = read_list(path)
    assert min(counts.values()) >= 0
    return counts


def _order(folder: Path) -> Path:
    fps_order(STORED, 15, folder, "clouds")
    return next(folder.glob("*.safetensors"))


def _read_order(path: Path) -> torch.Tensor:
    """A damaged one is refused, and computed again."""
    try:
        return read_order(path, hashlib.sha256(STORED.numpy().tobytes()).hexdigest())
    finally:
        order = fps_order(STORED, 15, path.parent, "clouds")
        assert all(len(set(row)) == len(row) and row[0] == 0 for row in order.tolist()), "an order that repeats"


def _manifest(folder: Path) -> Path:
    content = {"synthetic": True, "counts": {"train": 3, "test": 2}, "recipe": RECIPE}
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder / "manifest.json"


def _into(path: Path) -> None:
    Generated("things", RECIPE, {"train": 3, "test": 2}, "data=own").into(path.parent, lambda: None)


def _toml(folder: Path) -> Path:
    path = folder / "manifest.toml"
    digest = "0123456789abcdef" * 2
    path.write_text(
        f'[archive]\nname = "clouds.zip"\nmd5 = "{digest}"\nurls = ["https://one.example/c.zip", "http://two.example/c"]\n\n'
        f'[files]\n"ply_data_train0.h5" = "{digest}"\n"shape_names.txt" = "{digest}"\n'
    )
    return path


def _read_toml(path: Path) -> Manifest:
    manifest = read_manifest(path)
    assert all("/" not in name and name != ".." for name in (manifest.archive, *manifest.files))
    return manifest


SEEDS = (
    Seed("off", POINTS, _mesh("off"), _read, TEXT),
    Seed("ply", POINTS, _ply, _read, TEXT),
    Seed("binary ply", POINTS, _mesh("ply"), _read, (*BYTES, *TEXT)),
    Seed("carrying ply", OWN, _file("mesh.ply", _carrying), _read_carried, (*BYTES, *TEXT)),
    Seed("scanned ply", OWN, _file("points.ply", _scanned), _read_carried, TEXT),
    Seed("obj", POINTS, _obj, _read, TEXT),
    Seed("stl", POINTS, _stl, _read, TEXT),
    Seed("binary stl", POINTS, _mesh("stl"), _read, BYTES),
    Seed("glb", POINTS, _file("scene.glb", lambda path: _scene().export(path)), _read, GLB),
    Seed("gltf", POINTS, _gltf, _read, JSON),
    Seed(
        "buffer of gltf", POINTS, lambda folder: _gltf(folder).with_name("gltf_buffer_0.bin"),
        lambda path: _read(path.with_name("model.gltf")), BYTES,
    ),
    Seed("xyz", POINTS, _file("cloud.xyz", lambda path: np.savetxt(path, CLOUD, fmt="%.4f")), _read, TEXT),
    Seed("points csv", POINTS, _file("cloud.csv", lambda path: np.savetxt(path, CLOUD, delimiter=",")), _read, TEXT),
    Seed("npy", POINTS, _file("cloud.npy", lambda path: np.save(path, CLOUD)), _read, (*BYTES, *TEXT)),
    Seed("cloud h5", POINTS, _file("cloud.h5", _one_cloud), _read, HDF5),
    Seed(
        "clouds h5", ("geo_lm4ve.points.files._read_file", "geo_lm4ve.points.files._count"), _split, _read_split, HDF5,
    ),
    Seed("features h5", OWN, _file("cloud.h5", _one_with_features), _read_features, HDF5),
    Seed("features txt", OWN, _file("cloud.txt", _table_with_features), _read_features, TEXT),
    Seed("scans h5", ("geo_lm4ve.points.files._read_file",), _scans, _read_scans, HDF5),
    Seed("list of scans", ("geo_lm4ve.points.prepare.scanobjectnn.read_list",), _list, _read_list, TEXT),
    Seed(
        "shape names", ("geo_lm4ve.points.files._names",),
        lambda folder: _split(folder).with_name(NAMES), lambda path: read_names(path.parent), TEXT,
    ),
    Seed("order of points", ("geo_lm4ve.points.order.read_order",), _order, _read_order, SAFETENSORS),
    Seed(
        "data manifest", ("geo_lm4ve.data.manifest._read",), _manifest,
        lambda path: data_manifest(path.parent), JSON,
    ),
    Seed("generated", ("geo_lm4ve.data.generated._recipe",), _manifest, _into, JSON),
    Seed("manifest.toml", ("geo_lm4ve.prepare.manifest.read_manifest",), _toml, _read_toml, TEXT),
)  # fmt: skip
