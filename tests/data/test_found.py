import os
from pathlib import Path

import pytest

from geo_lm4ve.data.found import find, natural

SUFFIXES = (".off", ".ply")


def touched(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found_in(root, *given):
    return [path.relative_to(root).as_posix() for path in find(given, SUFFIXES).files]


def test_a_folder_gives_what_is_below_in_natural_order(tmp_path):
    touched(tmp_path, "b/scan10.ply", "b/scan9.OFF", "a2.off", "a10.off", "b/deep/er/x.ply", "b/t.png", "LICENSE")
    found = find([tmp_path], SUFFIXES)
    assert found_in(tmp_path, tmp_path) == ["a2.off", "a10.off", "b/deep/er/x.ply", "b/scan9.OFF", "b/scan10.ply"]
    assert found.skipped == {".png": 1, "": 1}
    assert found.remark() == "files of other kinds in folders, skipped: 2 (no suffix: 1, .png: 1)"
    assert not found.left_out


def test_what_is_named_is_taken_as_it_is_and_in_its_order(tmp_path):
    touched(tmp_path, "b.las", "a.off")
    given = [tmp_path / "b.las", tmp_path / "a.off", tmp_path / "gone.ply", Path("x" * 5000)]
    found = find(given, SUFFIXES)
    assert found.files == given
    assert not found.skipped
    assert found.remark() == ""


def test_every_file_counts_once_under_its_first_name(tmp_path, monkeypatch):
    touched(tmp_path, "in/a.off", "in/b.off")
    (tmp_path / "way").symlink_to(tmp_path / "in")
    monkeypatch.chdir(tmp_path)
    given = [
        Path("in/b.off"),
        Path("in"),
        tmp_path / "in" / "a.off",
        Path("in/../in/b.off"),
        Path("way"),
        Path("way/a.off"),
    ]
    assert find(given, SUFFIXES).files == [Path("in/b.off"), Path("in/a.off")]


def test_links_to_files_are_files_and_links_to_folders_and_what_is_hidden_are_passed_over(tmp_path):
    touched(tmp_path, "in/a.off", ".git/b.off", "in/.c.off")
    (tmp_path / "in" / "latest.off").symlink_to("a.off")
    (tmp_path / "in" / "round").symlink_to(tmp_path)
    assert found_in(tmp_path, tmp_path) == ["in/a.off", "in/latest.off"]
    found = find([tmp_path], SUFFIXES)
    assert found.links == [tmp_path / "in" / "round"]
    assert found.remark() == f"links to folders, not followed: 1 ({tmp_path}/in/round)"


def test_a_folder_without_any_is_left_out(tmp_path):
    touched(tmp_path, "empty/notes.md", "full/a.off")
    found = find([tmp_path / "empty", tmp_path / "full"], SUFFIXES)
    assert found.left_out == [f"{tmp_path / 'empty'}: no file in this folder, or below, ends in .off .ply"]
    assert len(found.files) == 1


def test_a_folder_that_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    touched(tmp_path, "a.off", "locked/b.off")
    scan = os.scandir

    def refusing(place):
        if str(place).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find([tmp_path], SUFFIXES)
    assert found.files == [tmp_path / "a.off"]
    assert found.left_out[0].startswith(f"{tmp_path / 'locked'}: this folder cannot be read (Permission denied")


@pytest.mark.parametrize("name", ["", "٣", "²", "a1b22", "1", "01"])
def test_any_names_can_be_put_in_order(name):
    assert sorted([Path(name or "x"), Path("1a/b"), Path("a/1")], key=natural)
