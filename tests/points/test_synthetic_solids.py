import json

import h5py
import numpy as np
import pytest
import torch
from point_folders import write_folder

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.geometry.solids.mesh import band, box, circle, cylinder, lathe, prism, tube, union
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.solids import write as synthetic_write
from geo_lm4ve.points.solids.write import SolidsRecipe, solid_cloud, write_solids
from geo_lm4ve.prepare.base import find
from geo_lm4ve.testing import assert_equal_up_to_rounding, rounding_bound


def area(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def volume(mesh):
    """Signed, of a closed surface with outward winding."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return (a * np.cross(b, c)).sum() / 6


def ngon(radius, corners):
    return corners / 2 * radius**2 * np.sin(2 * np.pi / corners)


def test_box():
    mesh = box(2, 3, 4)
    assert area(mesh) == pytest.approx(2 * (6 + 8 + 12))
    assert volume(mesh) == pytest.approx(24)
    assert mesh.vertices.min(0).tolist() == [-1, -1.5, 0]


@pytest.mark.parametrize("segments", [3, 6, 32])
def test_cylinder(segments):
    mesh = cylinder(2, 5, segments)
    side = 2 * 2 * np.sin(np.pi / segments)
    assert area(mesh) == pytest.approx(2 * ngon(2, segments) + segments * side * 5)
    assert abs(volume(mesh)) == pytest.approx(5 * ngon(2, segments))


def test_lathe_of_a_cone():
    mesh = lathe([(0, 0), (3, 0), (0, 4)], segments=200)
    assert area(mesh) == pytest.approx(np.pi * 9 + np.pi * 3 * 5, rel=1e-3)


def test_prism_over_a_star():
    outline = circle(1, 10)
    outline[1::2] *= 0.5
    assert abs(volume(prism(outline, 2))) == pytest.approx(2 * 10 * 0.5 * 0.5 * np.sin(np.pi / 5))


def test_band_closed_and_open():
    ring = band(circle(1, 64), circle(2, 64), 3)
    assert abs(volume(ring)) == pytest.approx(3 * (ngon(2, 64) - ngon(1, 64)))
    line = np.array([[0, 0], [1, 0], [2, 0.0]])
    slab = band(line, line + np.array([0, 1]), 4, closed=False)
    assert area(slab) == pytest.approx(2 * (2 * 1 + 2 * 4 + 1 * 4))
    assert abs(volume(slab)) == pytest.approx(8)


def test_tube_straight_and_closed():
    bar = tube(np.array([[0, 0, 0], [0, 0, 1], [0, 0, 3.0]]), 0.5, segments=64)
    assert abs(volume(bar)) == pytest.approx(3 * ngon(0.5, 64))
    ring = np.column_stack([circle(2, 200), np.zeros(200)])
    torus = tube(ring, 0.5, closed=True, segments=64)
    assert abs(volume(torus)) == pytest.approx(2 * np.pi**2 * 2 * 0.25, rel=0.01)
    assert np.linalg.norm(torus.vertices[:, :2], axis=1).max() == pytest.approx(2.5, rel=1e-3)


def test_motion_and_union_keep_areas():
    part = box(1, 2, 3)
    assert area(part.turned("y", 33).moved(1, 2, 3)) == pytest.approx(area(part))
    assert part.turned("z", 90).vertices.max(0) == pytest.approx([1, 0.5, 3])
    assert area(union([part, part, part])) == pytest.approx(3 * area(part))


def test_fitted_is_centred_and_reaches_the_radius():
    mesh = box(1, 2, 3).moved(4, 5, 6).fitted(2)
    assert mesh.vertices.min(0) == pytest.approx(-mesh.vertices.max(0))
    assert np.linalg.norm(mesh.vertices, axis=1) == pytest.approx(2)
    assert np.ptp(mesh.vertices, axis=0) / np.ptp(mesh.vertices[:, 0]) == pytest.approx([1, 2, 3])


@pytest.mark.parametrize("name", SOLIDS)
def test_every_class_gives_varied_clouds_on_the_unit_sphere(name):
    first, again, other = (solid_cloud(name, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.shape == (2048, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    for cloud in (first, other):
        assert np.linalg.norm(cloud, axis=1).max() == pytest.approx(1, rel=rounding_bound(torch.float32, 4))
        assert np.abs(cloud.mean(0, dtype=np.float64)).max() < rounding_bound(torch.float32, 1)
        assert len(np.unique(cloud, axis=0)) == 2048
    extents = [np.ptp(cloud, axis=0) for cloud in (first, other)]
    assert np.abs(extents[0] - extents[1]).max() > 0.01


def shape_signature(cloud, random):
    """Histogram of distances of random pairs (D2): independent of rotation and of the points drawn."""
    pairs = random.integers(len(cloud), size=(2, 8000))
    distances = np.linalg.norm(cloud[pairs[0]] - cloud[pairs[1]], axis=1)
    return np.histogram(distances, bins=48, range=(0, 2))[0] / 8000


def test_classes_can_be_told_apart_by_shape_alone():
    random = np.random.default_rng(0)
    signatures, labels = [], []
    for label, name in enumerate(SOLIDS):
        for seed in range(8):
            signatures.append(shape_signature(solid_cloud(name, np.random.default_rng(seed)), random))
            labels.append(label)
    signatures, labels = np.array(signatures), np.array(labels)
    gaps = np.abs(signatures[:, None] - signatures[None]).sum(-1) + 9 * np.eye(len(labels))
    accuracy = (labels[gaps.argmin(1)] == labels).mean()
    assert accuracy > 0.6  # chance is 0.026


def test_turn_and_noise():
    plain = solid_cloud("table", np.random.default_rng(0))
    turned = solid_cloud("table", np.random.default_rng(0), turn=90)
    assert_equal_up_to_rounding(np.sort(turned[:, 2]), np.sort(plain[:, 2]))
    assert np.abs(np.ptp(plain, axis=0) - np.ptp(turned, axis=0)).max() > 0.05
    noisy = solid_cloud("ball", np.random.default_rng(0), noise=0.01)
    clean = solid_cloud("ball", np.random.default_rng(0))
    assert (noisy - clean).std() == pytest.approx(0.01, rel=0.05)


def test_files_are_a_function_of_the_recipe(tmp_path):
    recipe = SolidsRecipe(train=80, test=40)
    for folder in ("a", "b"):
        write_solids(tmp_path / folder, recipe)
    write_solids(tmp_path / "c", SolidsRecipe(train=80, test=40, seed=1))
    arrays = {}
    for folder in "abc":
        with h5py.File(tmp_path / folder / "ply_data_train0.h5") as file:
            arrays[folder] = file["data"][()], file["label"][()]
    assert all(np.array_equal(*pair) for pair in zip(arrays["a"], arrays["b"]))
    assert not np.array_equal(arrays["a"][0], arrays["c"][0])
    assert set(np.bincount(arrays["a"][1].ravel())) == {2, 3}  # 80 clouds of 38 classes


def config(root, **values):
    small = {"root": str(root), "train": 80, "test": 40, "points": 16, "val_fraction": 0.0}
    return make("data", "synthetic_solids", {**small, **values})


def test_made_on_first_use_said_and_used_again(tmp_path, capsys, monkeypatch):
    source = config(tmp_path / "new").build()
    assert "generating 80 + 40 synthetic solids into" in capsys.readouterr().err
    assert source.info.synthetic
    assert source.info.counts == {"train": 80, "test": 40}
    assert source.info.title.startswith("synthetic solids (generated, 38 classes")
    monkeypatch.setattr("geo_lm4ve.points.solids.source.write_solids", None)
    assert config(tmp_path / "new").build().info.counts == {"train": 80, "test": 40}


def test_another_recipe_needs_another_folder(tmp_path):
    config(tmp_path).prepare()
    with pytest.raises(DataError, match=r"delete that folder or set data.root to another one"):
        config(tmp_path, seed=1).build()


def test_the_manifest_says_what_was_generated(tmp_path):
    config(tmp_path).prepare()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["synthetic"] is True
    assert manifest["counts"] == {"train": 80, "test": 40}


def test_interrupted_generation_starts_again(tmp_path, capsys, monkeypatch):
    def interrupt(path, text):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthetic_write, "write_text", interrupt)
    with pytest.raises(KeyboardInterrupt):
        config(tmp_path).prepare()
    monkeypatch.undo()
    config(tmp_path).build()
    assert "cut off, starting again" in capsys.readouterr().err


def test_clouds_of_the_user_are_left_alone(tmp_path):
    write_folder(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=r"ply_data_test0.h5.*own are read by data=point_folder data.root="):
        config(tmp_path).build()
    with pytest.raises(DataError, match="were not generated here"):
        find("synthetic_solids").prepare(tmp_path, None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("values", [{"train": 37}, {"test": 1}, {"seed": -1}, {"noise": -0.1}, {"turn": -1.0}])
def test_ranges(values):
    with pytest.raises(ConfigError, match=r"data.train="):
        make("data", "synthetic_solids", values)
