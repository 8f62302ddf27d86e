import pytest
from mesh_folders import CLASSES, contents, cut_off, prepare, rows_of, solid, write_mesh, write_meshes

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.prepare import build, sampled, shards
from geo_lm4ve.points.prepare.listing import list_folder
from geo_lm4ve.prepare.base import find


def test_two_runs_and_two_workers_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(sampled, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(shards, "SHARD", 3)
    source = write_meshes(tmp_path / "meshes")
    cut_off(source / "box" / "broken.off", source / "box" / "box_0000.off")
    for out, workers in (("one", 1), ("again", 1), ("two", 2)):
        prepare(source, tmp_path / out, workers=workers, allow_failed=0.1)
    assert contents(tmp_path / "one") == contents(tmp_path / "again") == contents(tmp_path / "two")


def test_nothing_is_written_where_something_else_lies(tmp_path):
    source = write_meshes(tmp_path / "meshes", 2)
    with pytest.raises(DataError, match="whose files are read: choose another one by --out"):
        prepare(source, source / "out")
    assert not (source / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(
        DataError, match=r"holds files that were not generated here: thesis.txt\. Prepared clouds go only"
    ):
        prepare(source, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    prepare(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(DataError, match=r"another preparation: points was 64, asked for is 65; delete that folder"):
        prepare(source, tmp_path / "out", points=65)
    assert contents(tmp_path / "out") == before


def test_what_is_done_is_kept_and_what_was_changed_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 2)
    source, out = write_meshes(tmp_path / "meshes"), tmp_path / "out"
    prepare(source, out)
    before, read = contents(out), []
    looked, shape = [], sampled.shape
    monkeypatch.setattr(build, "shape", lambda item: looked.append(item.name) or shape(item))
    sample = sampled.sample
    monkeypatch.setattr(sampled, "sample", lambda item, **how: read.append(item.name) or sample(item, **how))
    prepare(source, out)
    assert not read
    assert not looked
    with (out / "ply_data_train1.h5").open("r+b") as file:
        file.seek(3000)
        file.write(b"spoiled")
    (out / "ply_data_train2.json").unlink()
    prepare(source, out)
    assert len(read) == 4
    assert len(looked) == 2  # of the record that is gone
    assert contents(out) == before
    read.clear(), looked.clear()
    write_mesh(source / "box" / "box_0000.off", solid("box", 7))
    prepare(source, out)
    assert len(read) == 2
    assert "box/box_0000.off" in read
    assert looked == ["box/box_0000.off"]
    assert contents(out) != before
    (source / "can" / "can_0004.glb").unlink()
    (source / "can" / "can_0003.ply").unlink()
    report = prepare(source, out)
    assert sum(report["clouds"].values()) == 8
    assert len(list(out.glob("ply_data_*.h5"))) == len(list(out.glob("ply_data_*.json"))) == 4


def test_check_finds_what_was_changed_or_never_ended(tmp_path):
    source, out = write_meshes(tmp_path / "meshes"), tmp_path / "out"
    with pytest.raises(DataError, match="holds no clouds that"):
        find("folder").check(out)
    prepare(source, out)
    find("folder").check(out)
    (out / "manifest.json").unlink()
    with pytest.raises(DataError, match="did not end: run the same command again"):
        find("folder").check(out)
    (out / "ply_data_test0.h5").unlink()
    with pytest.raises(DataError, match=r"ply_data_test0.h5 is missing or was changed"):
        find("folder").check(out)


def test_a_class_without_a_readable_file_in_train(tmp_path):
    source = write_meshes(tmp_path / "meshes", 2)
    cut_off(source / "third.off", source / "box" / "box_0000.off")
    (source / "third").mkdir()
    (source / "third.off").rename(source / "third" / "a.off")
    with pytest.raises(DataError, match="no readable file of third is in train: add one, or move the class out of"):
        prepare(source, tmp_path / "out", allow_failed=1.0)
    for kind in CLASSES:
        (source / kind / f"{kind}_0001.stl").unlink()
    (source / "third" / "a.off").unlink()
    with pytest.raises(DataError, match="is in test: a class needs two files"):
        prepare(source, tmp_path / "other")


def test_folders_that_are_none(tmp_path):
    with pytest.raises(DataError, match="which folder"):
        prepare(None, tmp_path / "out")
    with pytest.raises(DataError, match=r"there is no folder .*gone: the folder must hold a sub-folder for each class"):
        list_folder(tmp_path / "gone")
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="no file in this folder, or below, ends in"):
        list_folder(tmp_path / "in")
    write_mesh(tmp_path / "in" / "a.off", solid("box", 0))
    with pytest.raises(DataError, match=r"has no class, its files lie at the top \(a.off\)"):
        list_folder(tmp_path / "in")
    (tmp_path / "in" / "a.off").unlink()
    write_meshes(tmp_path / "in", 1, "{kind}/train")
    write_mesh(tmp_path / "in" / "box" / "val" / "a.off", solid("box", 0))
    with pytest.raises(DataError, match=r"but box/val/a.off lies in neither"):
        list_folder(tmp_path / "in")
    for name in ("train", "test", "val"):
        write_meshes(tmp_path / "three", 1, name + "/{kind}")
    with pytest.raises(DataError, match="and beside them val: move into train"):
        list_folder(tmp_path / "three")


def test_a_split_of_the_folders_own_is_kept(tmp_path):
    for place, name in (("{kind}/Train", "{kind}/Test"), ("train/{kind}", "test/{kind}")):
        source = tmp_path / place.replace("/", "_")
        write_meshes(source, 3, place)
        write_meshes(source, 2, name)
        report = prepare(source, tmp_path / f"out_{source.name}")
        assert report["split"] == "of the folder"
        assert report["classes"] == {kind: {"train": 3, "test": 2} for kind in CLASSES}
        for file, (*_, split) in rows_of(tmp_path / f"out_{source.name}").items():
            assert f"/{'train' if split == 'trai' else 'test'}/" in f"/{file.casefold()}"
        with pytest.raises(DataError, match="a split of its own: leave out --test-fraction and --group-by"):
            prepare(source, tmp_path / "other", fraction=0.3)
