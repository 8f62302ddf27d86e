import json

import h5py
import numpy as np
import pytest
import torch
from mesh_folders import solid, write_mesh, write_resampled

from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.modelnet_names import MODELNET10, MODELNET40
from geo_lm4ve.points.prepare.modelnet40 import ModelNet40
from geo_lm4ve.points.prepare.resampled import list_resampled, read_lines
from geo_lm4ve.prepare.base import find


def preparer(name, points=64):
    made = type(find(name))()
    made.points = points
    return made


def meshes(root, classes, counts=(2, 1)):
    """As the release lies: every other header lacks its line break."""
    for number, kind in enumerate(classes):
        for split, count in zip(("train", "test"), counts):
            for one in range(count):
                path = write_mesh(root / kind / split / f"{kind}_{one + 1:04}.off", solid("box", number))
                if one % 2:
                    path.write_text("OFF" + path.read_text().removeprefix("OFF\n"))
    (root / "README.txt").write_text("about")
    return root


def test_the_classes_are_the_official_ones():
    assert len(MODELNET40) == 40
    assert len(MODELNET10) == 10
    assert set(MODELNET10) < set(MODELNET40)
    for names in (MODELNET10, MODELNET40):
        assert list(names) == sorted(names)


def test_modelnet10_from_meshes_is_trained_on_by_name(tmp_path):
    source, out = meshes(tmp_path / "ModelNet10", MODELNET10), tmp_path / "out"
    made = preparer("modelnet10")
    made.prepare(out, source)
    made.check(out)
    assert "data=modelnet10" in made.advice(out)
    assert (out / "shape_names.txt").read_text().split() == list(MODELNET10)
    data = load_option("data", "modelnet10", {"root": str(out), "points": 64, "val_fraction": 0}).build()
    assert data.info.counts == {"train": 20, "test": 10}
    assert data.info.title == "ModelNet10 (OFF meshes, 64 points)"
    assert load_option("data", "modelnet10", {}).root == str(made.place(source))


def test_counts_of_modelnet40_are_checked(tmp_path, monkeypatch):
    source, out = meshes(tmp_path / "ModelNet40", MODELNET40), tmp_path / "out"
    with pytest.raises(DataError, match=r"\{'train': 80, 'test': 40\} OFF meshes, ModelNet40 has \{'train': 9843"):
        preparer("modelnet40").prepare(out, source)
    assert not out.exists()
    monkeypatch.setattr(ModelNet40, "models", {"train": 80, "test": 40})
    made = preparer("modelnet40")
    made.prepare(out, source)
    made.check(out)
    data = load_option("data", "modelnet40", {"root": str(out), "points": 64, "val_fraction": 0}).build()
    assert data.info.title == "ModelNet40 (OFF meshes, 64 points)"
    assert data.info.counts == {"train": 80, "test": 40}
    (out / "ply_data_test0.h5").unlink()
    with pytest.raises(DataError, match=r"no ply_data_test"):
        load_option("data", "modelnet40", {"root": str(out), "points": 64}).build()


def test_one_broken_mesh_of_an_official_set_is_an_error(tmp_path):
    source = meshes(tmp_path / "ModelNet10", MODELNET10)
    (source / "bed" / "train" / "bed_0002.off").write_text("OFF\n5 5 0\n")
    with pytest.raises(DataError, match=r"more than the 0.0% that --allow-failed .* bed/train/bed_0002.off is cut off"):
        preparer("modelnet10").prepare(tmp_path / "out", source)


def test_other_folders_are_refused_with_what_is_wrong(tmp_path):
    made = preparer("modelnet10")
    source = meshes(tmp_path / "in" / "ModelNet10", MODELNET10)
    with pytest.raises(DataError, match=r"ModelNet10 are no classes of it.*: it seems to be in .*in/ModelNet10"):
        made.prepare(tmp_path / "out", source.parent)
    (source / "sofa").rename(source / "couch")
    with pytest.raises(
        DataError, match=r"\(classes are missing: sofa; couch are no classes of it\).*prepare.py folder DIR"
    ):
        made.prepare(tmp_path / "out", source)
    with pytest.raises(DataError, match=r"is prepared from a folder that you have: python tools/prepare.py modelnet10"):
        made.prepare(tmp_path / "out", None)
    for name in ("modelnet10", "modelnet40"):
        pickle = tmp_path / "modelnet40_train_8192pts_fps.dat"
        pickle.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
        with pytest.raises(DataError, match="is a Python pickle, which runs what its writer put into it"):
            preparer(name).prepare(tmp_path / "out", pickle)
    assert not (tmp_path / "out").exists()


def test_normal_resampled_clouds_are_reduced_to_their_farthest_points(tmp_path, monkeypatch):
    counts = dict.fromkeys(MODELNET40, (2, 1))
    source, out = write_resampled(tmp_path / "modelnet40_normal_resampled", "modelnet40", counts), tmp_path / "out"
    monkeypatch.setattr(ModelNet40, "models", {"train": 80, "test": 40})
    made = preparer("modelnet40", points=8)
    assert made.place(source) == made.root / "normal_resampled"
    made.prepare(out, source)
    rows = json.loads((out / "ply_data_train0.json").read_text())["rows"]
    assert rows[0]["file"] == "airplane/airplane_0001.txt"
    night = next(number for number, row in enumerate(rows) if row["kind"] == "night_stand")
    table = np.loadtxt(source / rows[night]["file"], delimiter=",").astype("f4")
    order = farthest_point_sample(torch.from_numpy(table[:, :3])[None], 8)[0].numpy()
    assert order[0] == 0
    taken = table[order, :3] - table[order, :3].mean(0)
    with h5py.File(out / "ply_data_train0.h5") as file:
        np.testing.assert_allclose(file["normal"][night], table[order, 3:], atol=1e-6)
        np.testing.assert_allclose(file["data"][night], taken / np.linalg.norm(taken, axis=1).max(), atol=1e-5)
        assert file["label"][night, 0] == MODELNET40.index("night_stand")
    data = load_option("data", "modelnet40_8k", {"root": str(out), "points": 8}).build()
    assert data.info.title == "ModelNet40 (normal-resampled clouds, 8 points)"
    eight = load_option("data", "modelnet40_8k", {})
    assert (eight.root, eight.points) == (str(made.place(source)), 8192)


def test_a_cloud_that_is_cut_off_or_missing_is_named(tmp_path):
    counts = dict.fromkeys(MODELNET10, (2, 1))
    source = write_resampled(tmp_path / "in", "modelnet10", counts)
    path = source / "night_stand" / "night_stand_0001.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:5]))
    with pytest.raises(DataError, match=r"night_stand/night_stand_0001.txt has 5 points, at least 8 are needed"):
        preparer("modelnet10", points=8).prepare(tmp_path / "out", source)
    path.unlink()
    with pytest.raises(DataError, match=r"there is no file night_stand/night_stand_0001.txt"):
        preparer("modelnet10", points=8).prepare(tmp_path / "out", source)


def test_lists(tmp_path):
    source = write_resampled(tmp_path / "in", "modelnet10", dict.fromkeys(MODELNET10, (1, 1)))
    with (source / "modelnet10_test.txt").open("a") as file:
        file.write("\nbed_0001\n")
    with pytest.raises(DataError, match=r"bed/bed_0001.txt is in train and in test by the lists in"):
        list_resampled(source, "modelnet10")
    (source / "modelnet10_test.txt").write_text("bed_sheet_0001\n")
    with pytest.raises(DataError, match=r"modelnet10_test.txt names bed_sheet_0001, but .* has no class 'bed_sheet'"):
        list_resampled(source, "modelnet10")
    for text, cause in (("", "it is empty"), ("a\nb\na\n", "'a' stands twice"), ("../x\n", "'../x' is no name")):
        (source / "list.txt").write_text(text)
        with pytest.raises(DataError, match=cause):
            read_lines(source / "list.txt")
    (source / "modelnet10_train.txt").unlink()
    with pytest.raises(DataError, match=r"modelnet10_train.txt is missing; get it again"):
        list_resampled(source, "modelnet10")
