import os
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import trimesh
from mesh_folders import CLASSES, cut_off, prepare, rows_of, solid, write_mesh, write_meshes
from small_runs import tool

from geo_lm4ve.geometry.meshes import read_points
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError


def test_meshes_of_five_formats_become_clouds_with_normals_and_are_read(tmp_path):
    source = write_meshes(tmp_path / "meshes")
    report = prepare(source, tmp_path / "out")
    assert report["formats"] == {".glb": 2, ".obj": 2, ".off": 2, ".ply": 2, ".stl": 2}
    assert report["classes"] == {kind: {"train": 4, "test": 1} for kind in CLASSES}
    rows = rows_of(tmp_path / "out")
    assert rows.keys() == {path.relative_to(source).as_posix() for path in source.rglob("*.*")}
    for name, (points, normals, label, _) in rows.items():
        assert CLASSES[label] == name.split("/")[0]
        assert points.shape == normals.shape == (64, 3)
        assert np.abs(points.mean(0)).max() < 1e-6
        assert abs(np.linalg.norm(points, axis=1).max() - 1) < 1e-6
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-6)
    source = load_option(
        "data", "point_folder", {"root": str(tmp_path / "out"), "points": 64, "val_fraction": 0}
    ).build()
    assert source.info.classes == CLASSES
    assert source.info.counts == {"train": 8, "test": 2}


def test_points_are_uniform_over_the_area(tmp_path):
    write_meshes(tmp_path / "meshes", 2)
    prepare(tmp_path / "meshes", tmp_path / "out", points=20_000)
    points, normals, *_ = rows_of(tmp_path / "out")["box/box_0000.off"]  # 1 x 2 x 1
    shares = (np.abs(normals) > 0.5).mean(0)
    assert np.abs(shares - np.array([0.4, 0.2, 0.4])).max() < 5 * np.sqrt(0.24 / 20_000)
    assert len(np.unique(points, axis=0)) > 19_000


def test_a_cloud_depends_on_its_own_file_and_the_seed_alone(tmp_path):
    source = write_meshes(tmp_path / "meshes")
    prepare(source, tmp_path / "one")
    prepare(source, tmp_path / "seed", seed=1)
    write_mesh(source / "box" / "a_first.off", solid("box", 9))
    (source / "can" / "can_0001.stl").unlink()
    prepare(source, tmp_path / "two")
    one, seed, two = (rows_of(tmp_path / name) for name in ("one", "seed", "two"))
    for name in one.keys() & two.keys():
        assert np.array_equal(one[name][0], two[name][0])
        assert not np.array_equal(one[name][0], seed[name][0])


def test_quads_count_with_both_halves_and_points_are_taken_farthest_first(tmp_path):
    for kind in ("quad", "points"):
        (tmp_path / "in" / kind).mkdir(parents=True)
    cloud = np.random.default_rng(0).normal(size=(100, 3))
    for number in range(2):
        quad = f"OFF4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 {1 + number} 0\n4 0 1 2 3\n"
        (tmp_path / "in" / "quad" / f"{number}.off").write_text(quad)
        np.save(tmp_path / "in" / "points" / f"{number}.npy", cloud + number)
    report = prepare(tmp_path / "in", tmp_path / "out")
    assert sorted(report["without_normals"]) == ["points/0.npy", "points/1.npy"]
    with h5py.File(tmp_path / "out" / "ply_data_train0.h5") as file:
        assert "normal" not in file
        points, quad = file["data"][0], file["data"][1]
    full = torch.tensor(cloud, dtype=torch.float32)
    spread = torch.cdist(torch.tensor(points), torch.tensor(points)).fill_diagonal_(9).min()
    assert spread > torch.cdist(full, full).fill_diagonal_(9).min() / 4
    assert len(np.unique(points, axis=0)) == 64
    assert (quad[:, 0] + quad[:, 1] > 0).mean() > 0.3


def test_every_file_that_is_left_out_has_a_reason(tmp_path):
    source = write_meshes(tmp_path / "meshes")
    good = source / "box" / "box_0000.off"
    cut_off(source / "box" / "half.off", good)
    cut_off(source / "can" / "half.txt", source / "can" / "can_0000.off")
    (source / "box" / "nan.off").write_text("OFF\n3 1 0\n0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n")
    (source / "box" / "empty.off").write_text("OFF\n0 0 0\n")
    (source / "box" / "flat.off").write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n")
    (source / "box" / "nothing.stl").write_bytes(b"")
    np.save(source / "box" / "few.npy", np.zeros((5, 3)))
    np.save(source / "box" / "one_place.npy", np.ones((99, 3)))
    (source / "box" / "gone.obj").symlink_to("nowhere.obj")
    (source / "top.off").write_bytes(good.read_bytes())
    (source / "notes.md").write_text("notes")
    (source / "nobody").mkdir()
    (source / "round").symlink_to(source)
    reasons = {
        "box/half.off": "take as many lines", "can/half.txt": "not a mesh or point cloud", "box/nan.off": "finite",
        "box/empty.off": "no vertices", "box/flat.off": "finite area above 0", "box/nothing.stl": "no vertices",
        "box/few.npy": "has 5 points, at least 64 are needed", "box/one_place.npy": "lie at one place",
        "box/gone.obj": "there is no file", "top.off": "in the folder of no class",
    }  # fmt: skip
    with pytest.raises(
        DataError, match=r"10 of 20 files in .* more than the 5.0% that --allow-failed allows; .*report"
    ):
        prepare(source, tmp_path / "out")
    assert not (tmp_path / "out" / "shape_names.txt").exists()
    report = prepare(source, tmp_path / "out", allow_failed=0.5)
    assert {one["name"] for one in report["unreadable"]} == reasons.keys()
    for one in report["unreadable"]:
        assert reasons[one["name"]] in one["reason"]
        assert str(source) not in one["reason"]
    assert report["skipped"] == {".md": 1}
    assert report["links"] == ["round"]
    assert report["empty"] == ["nobody"]
    assert len(rows_of(tmp_path / "out")) == 10


def test_what_is_worth_a_look_is_said(tmp_path, capsys):
    source = write_meshes(tmp_path / "meshes", 5, formats=("off", "obj"))
    write_mesh(source / "single" / "one.off", solid("box", 3))  # the shape of box_0003.obj
    report = prepare(source, tmp_path / "out")
    assert report["never_tested"] == ["single"]
    ((first, second),) = report["duplicates"]
    assert {first["file"], second["file"]} == {"box/box_0003.obj", "single/one.off"}
    rows = rows_of(tmp_path / "out")
    assert not np.allclose(rows[first["file"]][0], rows[second["file"]][0], atol=0.1)  # drawn by name
    said = capsys.readouterr().err
    assert "classes of which nothing is in test: 1 (single)" in said
    assert "duplicates: 1 shapes are in 2 files (report.json)" in said
    assert "1 in several classes" in said


@pytest.mark.parametrize("seed", range(3))
def test_copies_lie_on_one_side_whatever_they_are_called(tmp_path, capsys, seed):
    source = tmp_path / "meshes"
    for number in range(4):
        for copy, suffix in enumerate(("off", "off", "stl")):
            write_mesh(source / "box" / f"{number}{'abc'[copy]}.{suffix}", solid("box", number))
            write_mesh(source / "can" / f"{number}{'abc'[copy]}.{suffix}", solid("box", 10 + number))
    report = prepare(source, tmp_path / "out", seed=seed, fraction=0.4)
    assert len(report["duplicates"]) == 8
    assert all(len(same) == 3 and len({one["split"] for one in same}) == 1 for same in report["duplicates"])
    assert report["classes"] == {"box": {"train": 6, "test": 6}, "can": {"train": 6, "test": 6}}
    said = capsys.readouterr().err
    assert "8 shapes are in 24 files (report.json); the copies of each were put on the same side of the split" in said


def test_copies_across_a_split_of_the_folders_own_are_counted(tmp_path, capsys):
    source = write_meshes(tmp_path / "meshes", 3, "{kind}/train")
    write_meshes(source, 3, "{kind}/test")
    report = prepare(source, tmp_path / "out")
    assert all({one["split"] for one in same} == {"train", "test"} for same in report["duplicates"])
    assert "6 of them lie in train and in test" in capsys.readouterr().err


def test_normals_and_colors_of_ply_files_are_kept(tmp_path, capsys):
    source = tmp_path / "meshes"
    for kind in ("ball", "bean"):
        for number in range(4):
            ball = trimesh.creation.icosphere(subdivisions=2)
            ball.apply_scale([1, 1, 1 + number + 9 * (kind == "bean")])
            ball.visual.vertex_colors = np.tile([255, 51 * number, 0, 255], (len(ball.vertices), 1)).astype("u1")
            (source / kind).mkdir(parents=True, exist_ok=True)
            ball.export(source / kind / f"{number}.ply", vertex_normal=True)
    report = prepare(source, tmp_path / "out")
    assert report["without_colors"] == []
    assert "without colors" not in capsys.readouterr().err
    values = {"root": str(tmp_path / "out"), "points": 64, "val_fraction": 0, "features": ["color", "normal"]}
    data = load_option("data", "point_folder", values)
    batch = next(iter(data.build().loader("train", batch_size=6, train=False, seed=0).batches(0)))
    assert (batch.features[..., 0] == 1).all()
    assert {round(5 * value) for value in batch.features[..., 1].flatten().tolist()} <= {0, 1, 2, 3}
    assert torch.allclose(batch.features[..., 3:].norm(dim=-1), torch.ones(6, 64), atol=1e-5)
    write_mesh(source / "ball" / "plain.off", solid("box", 1))
    assert prepare(source, tmp_path / "other", fraction=0.4)["without_colors"] == ["ball/plain.off"]
    assert "without colors: 1 clouds; their HDF5 files have no 'color'" in capsys.readouterr().err


def test_names_that_are_no_text(tmp_path):
    source = write_meshes(tmp_path / "meshes", 3)
    odd = Path(os.fsdecode(bytes(source / "box") + b"/b\xff.off"))
    odd.write_bytes((source / "box" / "box_0000.off").read_bytes())
    report = prepare(source, tmp_path / "out")
    assert report["clouds"] == {"train": 5, "test": 2}
    assert "box/b\udcff.off" in rows_of(tmp_path / "out")
    odd.parent.rename(Path(os.fsdecode(bytes(source) + b"/b\xff")))
    with pytest.raises(DataError, match=r"the name of the class 'b\\udcff' is not UTF-8"):
        prepare(source, tmp_path / "other")


def test_one_command_and_the_one_it_names(tmp_path, capsys):
    source, out = write_meshes(tmp_path / "my meshes, new", 6), tmp_path / "my [out], new"
    code, shown, error = tool(capsys, "prepare", "folder", source, "--out", out, "--points", "200", "--workers", "1")
    assert code == 0, error
    assert "12 clouds of 12 files in 2 classes" in error
    typed = shown.splitlines()[-1].removeprefix("to train on it: python tools/train.py ")
    small = ["block=identity", "encoder.num_groups=8", "encoder.group_size=8", "optim.epochs=1", "run.pictures=false"]
    code, shown, error = tool(capsys, "train", *shlex.split(typed), *small, f"run.root={tmp_path / 'runs'}")
    assert code == 0, error
    (run,) = tmp_path.glob("runs/*/*")
    code, shown, error = tool(capsys, "predict", run, source / "box" / "box_0003.ply")
    assert code == 0, error
    assert "box_0003.ply" in shown


def test_options_are_checked(tmp_path, capsys):
    source = write_meshes(tmp_path / "meshes", 2)
    wrong = {
        ("--points", "0"): "--points must be 1 to", ("--allow-failed", "2"): "--allow-failed between 0 and 1",
        ("--test-fraction", "1"): "--test-fraction 1.0 must lie between 0 and 1",
        ("--group-by", "("): "is no regular expression", ("--group-by", "a"): "has no group",
        ("--group-by", "(zz)"): "does not match 4 of 4 files, e.g. box/box_0000.off",
        ("--download",): "has no meaning",
    }  # fmt: skip
    for arguments, text in wrong.items():
        code, _, error = tool(capsys, "prepare", "folder", source, "--out", tmp_path / "out", *arguments)
        assert code, arguments
        assert text in error, arguments
    assert not (tmp_path / "out").exists()
    code, shown, _ = tool(capsys, "prepare", "folder", "--help")
    assert code == 0
    assert "--group-by REGEX" in shown


def test_sampling_reads_as_prediction_does(tmp_path):
    """One road: the digest tells shapes apart, not formats or samples."""
    source = write_meshes(tmp_path, 1, formats=("off",))
    write_mesh(source / "box" / "same.stl", solid("box", 0))
    off = read_points(source / "box" / "box_0000.off", seed=3)
    assert off.digest == read_points(source / "box" / "same.stl", mesh_points=9).digest
    assert off.digest != read_points(source / "can" / "can_0000.off").digest
