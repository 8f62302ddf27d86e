import json

import numpy as np
import pytest
import torch
from room_oracle import Oracle

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import checksum
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.options import load_option
from geo_lm4ve.prepare.base import find

SIZES = {"train": 2, "val": 1, "test": 1, "vertices": 3000, "asked": 6}
NAMES = ("synthetic_rooms", "synthetic_rooms_sqa3d")


def config(name, root, **how):
    return load_option("data", name, {"root": str(root), "points": 3000, **SIZES, **how})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "rooms"
    for name in NAMES:
        config(name, folder).prepare()
    return folder


def state(root):
    return {path.relative_to(root): checksum(path) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_every_report_says_that_rooms_are_made_up(root, name):
    info = config(name, root).build().info
    assert info.synthetic
    assert "made-up rooms" in info.title
    assert "synthetic" in info.title
    assert info.targets is (name == "synthetic_rooms")
    assert info.poses is (name != "synthetic_rooms")


@pytest.mark.parametrize("name", NAMES)
def test_a_second_start_makes_nothing(root, name):
    before = state(root)
    config(name, root).build()
    assert state(root) == before


def test_both_layouts_share_the_scans(root):
    assert sorted(path.name for path in root.iterdir()) == ["raw", "scanqa", "sqa3d"]
    assert sorted(path.name for path in (root / "raw/scans").iterdir()) == [
        "scene7000_00", "scene8000_00", "scene9000_00", "scene9001_00",
    ]  # fmt: skip


def test_batches_show_the_room_that_the_oracle_sees(root):
    data = config("synthetic_rooms", root).build()
    (batch,) = data.loader("val", batch_size=6, train=False, seed=0).batches(0)
    oracle = Oracle(root / "raw/scans/scene8000_00")
    assert batch.scans == ("scene8000_00",)
    ids, valid = batch.objects.ids[0], batch.objects.valid[0]
    assert int(valid.sum()) == len(oracle.things)
    for row in valid.nonzero()[:, 0].tolist():
        seen, box = oracle.objects[int(ids[row])], batch.objects.boxes[0, row].numpy()
        np.testing.assert_allclose(box[:3], seen.center, atol=0.02)
        label = CLASSES[int(batch.objects.classes[0, row])]
        assert label == (seen.name if seen.name in CLASSES else "others")
    rows = json.loads((root / "raw/qa/ScanQA_v1.0_val.json").read_text())
    for row, target in zip(rows, batch.truth.target.tolist()):
        assert (int(ids[target]) if target >= 0 else None) == (row["object_ids"] or [None])[0]


def test_askers_stand_inside_at_the_height_of_eyes(root):
    data = config("synthetic_rooms_sqa3d", root).build()
    (batch,) = data.loader("val", batch_size=6, train=False, seed=0).batches(0)
    low, high = batch.points[0].amin(0), batch.points[0].amax(0)
    assert batch.truth.posed.all()
    assert ((low < batch.truth.poses[:, :3]) & (batch.truth.poses[:, :3] < high)).all()
    assert torch.isin((batch.truth.poses[:, 2] * 10).round(), torch.tensor([12.0, 16.0])).all()


def test_training_does_not_mirror_rooms(root):
    """A mirror swaps left and right, which are answers."""
    data = config("synthetic_rooms_sqa3d", root, rotate=0.0, shift=0.0).build()
    for batch in data.loader("train", batch_size=6, train=True, seed=0).batches(0):
        for name, boxes in zip(batch.scans, batch.objects.boxes):
            oracle = Oracle(root / "raw/scans" / name)
            centers = [
                oracle.objects[key].center for key in batch.objects.ids[batch.scans.index(name)].tolist() if key >= 0
            ]
            np.testing.assert_allclose(boxes[: len(centers), :3], np.array(centers), atol=0.02)


def test_rooms_of_another_recipe_are_refused(root):
    before = state(root)
    with pytest.raises(DataError, match="holds made-up rooms made with"):
        config("synthetic_rooms", root, seed=1).look()
    with pytest.raises(DataError, match="holds made-up rooms made with"):
        config("synthetic_rooms", root, seed=1).build()
    assert state(root) == before


def test_files_of_somebody_else_are_left_alone(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="holds files that were not generated here: thesis"):
        config("synthetic_rooms", tmp_path).build()
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["thesis.txt"]


def test_rooms_made_anew_are_prepared_anew(tmp_path):
    sizes = {"train": 1, "val": 0, "test": 0, "vertices": 3000, "asked": 2}
    config("synthetic_rooms", tmp_path, **sizes).prepare()
    first = Oracle(tmp_path / "raw/scans/scene9000_00")
    for path in sorted((tmp_path / "raw").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    data = config("synthetic_rooms", tmp_path, **{**sizes, "seed": 9}).build()
    (batch,) = data.loader("train", batch_size=2, train=False, seed=0).batches(0)
    second = Oracle(tmp_path / "raw/scans/scene9000_00")
    assert len(first.things) != len(second.things)
    assert int(batch.objects.valid.sum()) == len(second.things)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"train": 0}, "data.train=0, data.val=1, data.test=1 must be 0 to 100,000, train at least 1"),
        ({"seed": -1}, "data.seed=-1"),
        ({"vertices": 2999}, "data.vertices=2999 must be at least 3000"),
        ({"asked": 0}, "data.asked=0 in 1 to 100"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path, how, message):
    with pytest.raises(ConfigError, match=message):
        config("synthetic_rooms", tmp_path, **how)


def test_the_preparer_makes_both_layouts(root, capsys):
    from geo_lm4ve.commands import prepare

    before = state(root)
    with pytest.raises(DataError, match="holds made-up rooms made with"):
        prepare.main(["synthetic_rooms", "--train", "4", "--root", str(root)])
    assert state(root) == before
    prepare.main(["synthetic_rooms", "--check", "--root", str(root)])
    said = capsys.readouterr().out
    assert "4 rooms of" in said
    assert f"data=synthetic_rooms_sqa3d data.root={root}" in said
    with pytest.raises(DataError, match="--from has no meaning here"):
        find("synthetic_rooms").prepare(root, root)


def test_defaults_of_options_and_classes_agree():
    for name in NAMES:
        assert load_option("data", name, {}) == make("data", name)
