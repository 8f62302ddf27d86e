import json

import numpy as np
import pytest
import torch
import trimesh
from point_folders import NAMES, cloud_array, write_folder, write_hdf5, write_names, write_split

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.modelnet40 import COUNTS
from geo_lm4ve.points.modelnet40 import NAMES as MODELNET_NAMES
from geo_lm4ve.testing import assert_equal_up_to_rounding


def build(root, name="point_folder", **values):
    return make("data", name, {"root": str(root), "points": 16, "normalize": False, **values}).build()


def everything(source, split, **more):
    loader = source.loader(split, batch_size=7, train=False, seed=0, **more)
    batches = list(loader.batches(0))
    return torch.cat([b.points for b in batches]), torch.cat([b.labels for b in batches])


def test_splits_partition_the_files(tmp_path):
    source = build(write_folder(tmp_path))
    assert source.info.counts == {"train": 27, "val": 3, "test": 11}
    assert source.info.classes == NAMES
    assert source.info.title == f"point clouds of {tmp_path.name} (3 classes, 16 points)"
    assert not source.info.synthetic
    rows = [set(source.splits[split].points[:, :, 0].amax(1).tolist()) for split in ("train", "val")]
    assert len(rows[0] | rows[1]) == 30
    assert source.splits["val"].labels.tolist() == [0, 1, 2] or sorted(source.splits["val"].labels.tolist()) == [
        0,
        1,
        2,
    ]


def test_farthest_points_are_what_the_paper_takes(tmp_path):
    write_folder(tmp_path)
    source = build(tmp_path)
    stored = torch.from_numpy(write_split(tmp_path, "test", 11, seed=1))
    with kernels.reference():
        expected = gather(stored, farthest_point_sample(stored, 19))
    points, labels = everything(source, "test")
    assert torch.equal(points, expected[:, :16])
    assert labels.tolist() == [row % 3 for row in range(11)]
    assert source.splits["test"].points.shape[1] == 19  # ceil(16 * 1200 / 1024), of which training draws 16
    assert (tmp_path / "fps_order").is_dir()


@pytest.mark.parametrize("sampling", ["first", "first_shuffled", "random"])
def test_evaluation_of_the_other_samplings_takes_the_first_points(tmp_path, sampling):
    write_folder(tmp_path)
    source = build(tmp_path, sampling=sampling)
    stored = torch.from_numpy(write_split(tmp_path, "test", 11, seed=1))
    assert torch.equal(everything(source, "test")[0], stored[:, :16])
    assert not (tmp_path / "fps_order").exists()
    batch = next(iter(source.loader("train", batch_size=27, train=True, seed=0).batches(0)))
    kept = source.splits["train"].points[batch.index]
    assert kept.shape[1] == (40 if sampling == "random" else 16)


@pytest.mark.parametrize("sampling", ["first", "first_shuffled"])
def test_training_takes_the_first_points_in_the_order_that_is_asked_for(tmp_path, sampling):
    source = build(write_folder(tmp_path), sampling=sampling, scale_low=1.0, scale_high=1.0, shift=0.0)
    batch = next(iter(source.loader("train", batch_size=27, train=True, seed=0).batches(0)))
    stored = source.splits["train"].points[batch.index]
    assert torch.equal(batch.points, stored) == (sampling == "first")
    assert torch.equal(batch.points.sort(1).values, stored.sort(1).values)


def test_test_points_of_random_sampling_vary_by_view_only(tmp_path):
    source = build(write_folder(tmp_path), sampling="random", scale_low=1.0, scale_high=1.0, shift=0.0)
    plain, viewed = everything(source, "test")[0], everything(source, "test", view=1)[0]
    assert torch.equal(plain, everything(source, "test")[0])
    assert not torch.equal(plain, viewed)


def test_normalisation(tmp_path):
    write_folder(tmp_path)
    stored = torch.from_numpy(write_split(tmp_path, "test", 11, seed=1))
    points, _ = everything(build(tmp_path, normalize=True, points=40), "test")
    expected = normalize_unit_sphere(stored)
    assert_equal_up_to_rounding(points.sort(1).values, expected.sort(1).values)


def test_without_validation_part(tmp_path):
    source = build(write_folder(tmp_path), val_fraction=0.0)
    assert source.info.counts == {"train": 30, "test": 11}
    with pytest.raises(DataError, match="has no split 'val', only train, test"):
        source.loader("val", batch_size=1, train=False, seed=0)


def test_limit_is_for_every_split_and_needs_no_whole_order(tmp_path):
    source = build(write_folder(tmp_path), limit=6)
    assert source.info.counts == {"train": 6, "val": 3, "test": 6}
    assert sorted(source.splits["train"].labels.unique().tolist()) == [0, 1, 2]


def test_the_order_on_disk_outlives_another_validation_part(tmp_path):
    build(write_folder(tmp_path))
    before = sorted(path.name for path in (tmp_path / "fps_order").iterdir())
    build(tmp_path, val_fraction=0.3)
    assert sorted(path.name for path in (tmp_path / "fps_order").iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [{"batch_size": 0}, {"rank": 2, "world": 2}, {"view": -1}, {"view": 1, "train": True}],
)
def test_loader_arguments(tmp_path, arguments):
    source = build(write_folder(tmp_path))
    with pytest.raises(ValueError, match="a loader needs batch_size >= 1"):
        source.loader("train", **{"batch_size": 2, "train": False, "seed": 0, **arguments})


def test_folders_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*gone: set data.root to a folder in the layout"):
        build(tmp_path / "gone")
    with pytest.raises(DataError, match=r"no ply_data_train\*.h5 in .*: set data.root"):
        build(tmp_path)
    inner = write_folder(tmp_path / "modelnet40_ply_hdf5_2048")
    with pytest.raises(DataError, match=f"they are in {inner}: set data.root={inner}"):
        build(tmp_path)


def test_too_few_points(tmp_path):
    with pytest.raises(DataError, match=r"train clouds have 40 points, data.points=41"):
        build(write_folder(tmp_path), points=41)


def test_class_without_training_cloud(tmp_path):
    write_names(write_folder(tmp_path), (*NAMES, "ghost"))
    with pytest.raises(DataError, match="no training cloud of ghost; drop the name"):
        build(tmp_path)
    assert len(build(tmp_path, allow_other_counts=True).info.classes) == 4


WRONG_MANIFESTS = (
    ("[]", "manifest.json .* a list of 0, not a JSON object"),
    ("{", "manifest.json is cut off"),
    ("[" * 100_000, "manifest.json is nested too deep"),
    ('{"counts": 7}', "counts is 7, not a mapping"),
    ('{"counts": {"train": "30"}}', "counts.train is '30', not a whole number"),
    ('{"counts": {"train": -1}}', "counts.train is -1, not a whole number from 0"),
    ('{"synthetic": "no"}', "synthetic is 'no', not true or false"),
)


def test_manifest_counts_are_checked(tmp_path):
    write_folder(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"counts": {"train": 30, "test": 12}, "synthetic": True}))
    with pytest.raises(DataError, match=r"must hold \{'test': 12\} clouds, it holds \{'train': 30, 'test': 11\}"):
        build(tmp_path)
    assert build(tmp_path, allow_other_counts=True).info.synthetic
    for wrong, message in WRONG_MANIFESTS:
        manifest.write_text(wrong)
        with pytest.raises(DataError, match=message):
            build(tmp_path)


def test_modelnet40_is_known_by_its_names_and_must_be_whole(tmp_path):
    assert len(MODELNET_NAMES) == 40
    assert list(MODELNET_NAMES) == sorted(MODELNET_NAMES)
    assert sum(COUNTS.values()) == 12_308
    for split in ("train", "test"):
        data, label = np.zeros((80, 20, 3), "f4"), np.arange(80) % 40
        write_hdf5(tmp_path / f"ply_data_{split}0.h5", data=data + np.arange(20)[:, None], label=label)
    write_names(tmp_path, MODELNET_NAMES)
    with pytest.raises(DataError, match=r"must hold \{'train': 9840, 'test': 2468\} clouds, it holds \{'train': 80"):
        build(tmp_path, "modelnet40")
    source = build(tmp_path, "modelnet40", allow_other_counts=True)
    assert source.info.title == "ModelNet40 (HDF5 release, 16 points)"
    with pytest.raises(DataError, match=r"run python tools/prepare.py modelnet40"):
        build(tmp_path / "gone", "modelnet40")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"points": 0}, "data.points=0"),
        ({"limit": 0}, "data.limit=0"),
        ({"val_fraction": 1.0}, "data.val_fraction=1.0"),
        ({"scale_low": 2.0}, "data.scale_low <= data.scale_high"),
        ({"shift": -1.0}, "data.shift"),
        ({"sampling": "fps"}, "sampling"),
    ],
)
def test_config_ranges(values, message):
    with pytest.raises(ConfigError, match=message):
        make("data", "modelnet40", values)


def test_defaults_are_the_papers():
    config = make("data", "modelnet40")
    assert (config.points, config.sampling.name, config.shift) == (1024, "fps_random", 0.2)
    assert (config.scale_low, config.scale_high) == (2 / 3, 3 / 2)


@pytest.mark.parametrize("sampling", ["fps_random", "first", "first_shuffled", "random"])
@pytest.mark.parametrize("name", ["point_folder", "modelnet40"])
def test_predict_and_evaluation_make_the_same_of_a_cloud(tmp_path, name, sampling):
    root = tmp_path / "set"
    root.mkdir()
    write_names(root)
    write_split(root, "train", 30)
    clouds = write_split(root, "test", 6, seed=1)
    clouds[3] = clouds[3].round()  # on a grid: many ties for farthest point sampling
    write_hdf5(root / "ply_data_test0.h5", data=clouds, label=np.arange(6) % 3)
    files = [tmp_path / f"{row}.npy" for row in range(6)]
    for file, cloud in zip(files, clouds):
        np.save(file, cloud)
    config = make("data", name, {"root": str(root), "points": 16, "sampling": sampling})
    assert torch.equal(config.read(files).points, everything(config.build(), "test")[0])


def test_read_samples_meshes_and_clouds(tmp_path):
    trimesh.creation.icosphere(radius=7).export(tmp_path / "ball.off")
    cloud = np.random.default_rng(0).normal(size=(50, 3))
    np.save(tmp_path / "cloud.npy", cloud)
    batch = make("data", "point_folder", {"root": "", "points": 32}).read(
        [tmp_path / "ball.off", tmp_path / "cloud.npy"]
    )
    assert batch.names == ("ball.off", "cloud.npy")
    assert batch.points.shape == (2, 32, 3)
    assert batch.labels.tolist() == [-1, -1]
    expected = normalize_unit_sphere(torch.from_numpy(cloud).float())[None]
    assert torch.equal(batch.points[1], gather(expected, farthest_point_sample(expected, 32))[0])
    assert batch.points[0].norm(dim=1).min() > 0.9


def write_scaled(root, scale):
    """A folder of clouds whose farthest points have norm ``scale``, and one of its clouds as a file."""
    root.mkdir()
    write_names(root)
    for split, count in (("train", 30), ("test", 11)):
        clouds = scale * normalize_unit_sphere(torch.from_numpy(cloud_array(count, 40)))
        write_hdf5(root / f"ply_data_{split}0.h5", data=clouds.numpy(), label=np.arange(count) % 3)
    np.save(root / "one.npy", clouds[0])
    return root


@pytest.mark.parametrize(("scale", "reach"), [(50.0, "50"), (0.001, "0.001")])
def test_clouds_that_nobody_normalised_are_noticed(tmp_path, scale, reach, capsys):
    root = write_scaled(tmp_path / "set", scale)
    config = make("data", "modelnet40", {"root": str(root), "points": 16})
    config.build()
    said = capsys.readouterr().err
    assert said.count("not on the unit sphere") == 1
    assert (
        f"41 of 41 clouds are not on the unit sphere, the first in {root} (train): its farthest point is {reach}"
        in said
    )
    assert "set data.normalize=true, or data=point_folder" in said
    config.read([root / "one.npy"])
    said = capsys.readouterr().err
    assert f"1 of 1 clouds are not on the unit sphere, the first in one.npy: its farthest point is {reach} " in said
    assert "predict again with data.normalize=true" in said


@pytest.mark.parametrize(("name", "scale"), [("modelnet40", 1.0), ("point_folder", 50.0)])
def test_clouds_where_they_should_be_are_no_news(tmp_path, name, scale, capsys):
    root = write_scaled(tmp_path / "set", scale)
    config = make("data", name, {"root": str(root), "points": 16})
    config.build()
    config.read([root / "one.npy"])
    assert "unit sphere" not in capsys.readouterr().err


def test_read_names_the_unusable_file(tmp_path):
    np.save(tmp_path / "few.npy", np.zeros((5, 3)))
    with pytest.raises(DataError, match=r"few.npy has 5 points, at least 32"):
        make("data", "point_folder", {"root": "", "points": 32}).read([tmp_path / "few.npy"])


def test_real_cad_shapes_are_read_and_labelled(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path))
    source = make("data", "point_folder", {"root": str(real_data / "cad_shapes"), "points": 64, "limit": 40}).build()
    assert len(source.info.classes) == 29
    assert source.info.counts == {"train": 40, "val": 40, "test": 40}
    batch = next(iter(source.loader("test", batch_size=40, train=False, seed=0).batches(0)))
    assert batch.points.norm(dim=-1).amax(1).sub(1).abs().max() < 0.2
    assert batch.labels.unique().numel() > 15
    assert not (real_data / "cad_shapes" / "fps_order").exists()
