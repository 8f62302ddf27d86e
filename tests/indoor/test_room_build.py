import fcntl
import json
import shutil

import h5py
import numpy as np
import pytest
from scans import Asking, write_all, write_scan

from geo_lm4ve.commands.prepare import main
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import data_manifest
from geo_lm4ve.indoor.scannet import making
from geo_lm4ve.indoor.scannet.build import MARKER, build
from geo_lm4ve.indoor.scannet.labels import built_in
from geo_lm4ve.indoor.scannet.making import Recipe
from geo_lm4ve.indoor.stored.questions import SCANQA, SQA3D, find_questions
from geo_lm4ve.indoor.stored.tables import read_counts, read_mean_sizes
from geo_lm4ve.prepare.base import find


def made(qa, scans, root, layout=SCANQA, *, points=100, **how):
    return build(root, find_questions(layout, qa), scans, Recipe(built_in(), points), **how)


def contents(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_prepared_folder_holds_everything(tmp_path):
    qa, scans = write_all(tmp_path)
    made(qa, scans, tmp_path / "out", source="small scans", synthetic=True)
    manifest = data_manifest(tmp_path / "out")
    assert manifest.counts == {"train": 10, "val": 3}
    assert manifest.synthetic
    assert manifest.source == "small scans"
    for split in ("train", "val"):
        copy = tmp_path / "out" / "questions" / f"{split}.json"
        assert copy.read_bytes() == (qa / f"ScanQA_v1.0_{split}.json").read_bytes()
    assert read_counts(tmp_path / "out" / "answers.json") == {"brown": 3, "chair": 4, "table": 3}
    means = read_mean_sizes(tmp_path / "out" / "mean_sizes.json")
    assert means.boxes["chair"] == 3, "of the scans of train alone"
    np.testing.assert_allclose(means.sizes[2], [0.5, 0.6, 1.0], atol=1e-5)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["unmapped"] == {"gizmo": 4}
    assert report["missing"] == []


def test_both_files_of_sqa3d_and_its_classes_are_kept(tmp_path):
    qa, scans = write_all(tmp_path, "sqa3d")
    shutil.move(qa, tmp_path / "sqa_task" / "balanced")
    (tmp_path / "sqa_task" / "answer_dict.json").write_text('[{"chair": 0, "u": 1}, {"0": "chair", "1": "u"}]')
    made(tmp_path / "sqa_task", scans, tmp_path / "out", SQA3D)
    names = {path.name for path in (tmp_path / "out" / "questions").iterdir()}
    assert names == {"train.json", "train_questions.json", "val.json", "val_questions.json"}
    assert (tmp_path / "out" / "answer_dict.json").is_file()


def test_workers_and_the_order_of_work_change_no_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "WORTH_PROCESSES", 1)
    qa, scans = write_all(tmp_path)
    made(qa, scans, tmp_path / "one")
    made(qa, scans, tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_is_done_stays_and_what_was_changed_is_made_again(tmp_path, monkeypatch):
    qa, scans = write_all(tmp_path)
    out, read, one = tmp_path / "out", [], making.read_scan
    monkeypatch.setattr(making, "read_scan", lambda files, *how: read.append(files.name) or one(files, *how))
    made(qa, scans, out)
    before = contents(out)
    assert len(read) == 4
    read.clear()
    for name in ("scene0001_00", "scene0002_00"):
        (out / "scans" / f"{name}.safetensors").write_bytes(b"cut off")
    (out / "manifest.json").unlink()
    made(qa, scans, out)
    assert sorted(read) == ["scene0001_00", "scene0002_00"]
    assert contents(out) == before
    read.clear()
    shutil.rmtree(scans / "scene0003_00")
    write_scan(scans, "scene0003_00")
    made(qa, scans, out)
    assert read == ["scene0003_00"]
    Asking().ask("scene0000_00", ["chair"]).scanqa(qa, "val")
    made(qa, scans, out)
    assert read == ["scene0003_00"]
    assert not (out / "scans" / "scene0003_00.safetensors").exists(), "nobody asks about it any more"


def test_a_missing_scan_is_named_with_the_questions_that_it_costs(tmp_path):
    qa, scans = write_all(tmp_path)
    shutil.rmtree(scans / "scene0000_00")
    broken = scans / "scene0003_00" / "scene0003_00_vh_clean_2.ply"
    broken.write_bytes(broken.read_bytes()[:400])
    wanted = (
        r"2 of 4 scans are missing in .* or damaged, 7 of 13 questions are about them, more than the 0.0% that "
        r"--allow-missing allows; .*report.json names them, the dearest is scene0000_00 \(4 questions\): there is no "
        "folder"
    )
    with pytest.raises(DataError, match=wanted):
        made(qa, scans, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [one["scan"] for one in report["missing"]] == ["scene0000_00", "scene0003_00"]
    assert "vh_clean_2.ply is cut off, damaged" in report["missing"][1]["why"]
    assert not (tmp_path / "out" / "manifest.json").exists()
    made(qa, scans, tmp_path / "out", allow_missing=0.6)
    assert data_manifest(tmp_path / "out").counts == {"train": 6, "val": 0}


def test_questions_about_an_object_without_a_box_are_counted(tmp_path):
    qa, scans = write_all(tmp_path)
    Asking().ask("scene0003_00", ["wall"], [4]).ask("scene0003_00", ["chair"], [1]).scanqa(qa, "val")
    assert made(qa, scans, tmp_path / "out").pointless() == ["val-0"]


def test_nothing_is_written_where_something_else_lies(tmp_path):
    qa, scans = write_all(tmp_path)
    with pytest.raises(DataError, match="whose files are read: choose another one by --root"):
        made(qa, scans, scans / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(DataError, match=r"holds files that were not generated here: thesis.txt"):
        made(qa, scans, tmp_path / "mine")
    made(qa, scans, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(DataError, match="rooms of another preparation: points was 100, asked for is 101; delete that"):
        made(qa, scans, tmp_path / "out", points=101)
    assert contents(tmp_path / "out") == before


def test_one_preparation_at_a_time(tmp_path):
    qa, scans = write_all(tmp_path)
    made(qa, scans, tmp_path / "out")
    with (tmp_path / "out" / MARKER).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(DataError, match=r"another process prepares data in .*out: wait until it is done"):
            made(qa, scans, tmp_path / "out")
    made(qa, scans, tmp_path / "out")


def test_questions_have_names_of_scans_that_files_can_have(tmp_path):
    qa, scans = write_all(tmp_path)
    Asking().ask("../secret", ["chair"]).scanqa(qa, "val")
    with pytest.raises(DataError, match=r"about the scan '../secret', whose name holds '/'; mend the file"):
        made(qa, scans, tmp_path / "out")
    with pytest.raises(
        DataError, match=r"has no v1_balanced_sqa_annotations_train_scannetv2.json \(nor has its folder"
    ):
        find_questions(SQA3D, qa)


def test_the_commands_prepare_check_and_say_what_to_do(tmp_path, capsys):
    qa, scans = write_all(tmp_path)
    out = tmp_path / "out"
    given = [
        "scanqa",
        "--from",
        str(qa),
        "--scans",
        str(scans),
        "--root",
        str(out),
        "--points",
        "100",
        "--workers",
        "1",
    ]
    main(given)
    said = capsys.readouterr()
    assert "4 rooms" in said.err
    assert "'gizmo' 4" in said.err
    assert f"to read it: data=scanqa data.root={out}" in said.out
    main(["scanqa", "--check", "--root", str(out)])
    assert "4 rooms of 100 to 100 points, 16 boxes; train gives 3 different answers" in " ".join(
        capsys.readouterr().out.split()
    )
    with pytest.raises(DataError, match=r"holds no rooms that .* sqa3d has made"):
        main(["sqa3d", "--check", "--root", str(out)])
    for name in ("scanqa", "sqa3d"):
        with pytest.raises(DataError, match=r"github.com/ScanNet/ScanNet says; nothing of it is downloaded here"):
            main([name, "--root", str(tmp_path / "new")])
        with pytest.raises(
            DataError, match=r"cannot be downloaded: leave out --download. ScanNet's scans are given on"
        ):
            main([name, "--download"])
    pickled = tmp_path / "enet.pkl"
    pickled.write_bytes(b"")
    with pytest.raises(DataError, match="is a Python pickle"):
        main([*given[:-2], "--multiview", str(pickled)])
    with pytest.raises(DataError, match="--points must be 64 to"):
        main([*given, "--points", "3"])
    (out / "scans" / "scene0002_00.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="scene0002_00"):
        find("scanqa").check(out)
    (out / "manifest.json").unlink()
    with pytest.raises(DataError, match="did not end: run the same command again"):
        find("scanqa").check(out)


def test_image_features_and_a_label_table_belong_to_the_preparation(tmp_path):
    qa, scans = write_all(tmp_path)
    with h5py.File(tmp_path / "features.h5", "w") as file:
        for number in range(4):
            file[f"scene000{number}_00"] = np.ones((324, 128), np.float32)
    (tmp_path / "labels.tsv").write_text("raw_category\tnyu40id\nfloor\t2\ncouch\t6\nchair\t5\ntable\t7\ngizmo\t1\n")
    given = ["scanqa", "--from", str(qa), "--scans", str(scans), "--root", str(tmp_path / "out"), "--workers", "1"]
    main([*given, "--multiview", str(tmp_path / "features.h5"), "--label-map", str(tmp_path / "labels.tsv")])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["unmapped"] == {"wall": 4}
    assert report["labels"] == "labels.tsv"
    assert report["boxes"]["others"] == 3, "the walls; a gizmo is a wall here"
    with pytest.raises(DataError, match=r"another preparation: labels was .*multiview was"):
        main(given)
