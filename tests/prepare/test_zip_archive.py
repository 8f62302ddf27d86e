import zipfile

import pytest

from geo_lm4ve.files import DiskFullError
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare import zip_archive as archive_module
from geo_lm4ve.prepare.zip_archive import unzip

WANTED = r"data\d+\.h5|names\.txt"


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def root(tmp_path):
    return tmp_path / "set" / "processed"


def pack(tmp_path, **members):
    return zipped(tmp_path / "a.zip", **members)


def leftovers(root):
    return [path.name for path in root.parent.iterdir()] if root.parent.exists() else []


def test_wanted_files_without_their_folders(tmp_path, root):
    members = {"top/data0.h5": "zero", "top/data12.h5": "twelve", "top/names.txt": "n", "top/README": "r", "top/": ""}
    paths = unzip(pack(tmp_path, **members), root, WANTED)
    assert sorted(path.name for path in paths) == ["data0.h5", "data12.h5", "names.txt"]
    assert sorted(path.name for path in root.iterdir()) == ["data0.h5", "data12.h5", "names.txt"]
    assert (root / "data12.h5").read_text() == "twelve"
    assert leftovers(root) == ["processed"]


def test_what_lies_in_the_target_stays(tmp_path, root):
    root.mkdir(parents=True)
    (root / "mine.txt").write_text("mine")
    (root / "data1.h5").write_text("one")
    archive = pack(tmp_path, **{"data0.h5": "zero", "data1.h5": "one"})
    unzip(archive, root, WANTED)
    assert {path.name: path.read_text() for path in root.iterdir()} == {
        "mine.txt": "mine", "data0.h5": "zero", "data1.h5": "one",
    }  # fmt: skip
    (root / "data0.h5").unlink()
    (root / "data1.h5").write_text("two")
    with pytest.raises(DataError, match=r"data1.h5 is not the data1.h5 of .*left as it is: delete it .*--root"):
        unzip(archive, root, WANTED)
    assert {path.name: path.read_text() for path in root.iterdir()} == {"mine.txt": "mine", "data1.h5": "two"}


@pytest.mark.parametrize("evil", ["../data1.h5", "/data1.h5", "top/../../data1.h5", "..\\data1.h5"])
def test_members_that_point_outside(tmp_path, root, evil):
    with pytest.raises(DataError, match="points outside: do not trust this file"):
        unzip(pack(tmp_path, **{"data0.h5": "x", evil: "y"}), root, WANTED)
    assert not root.exists()
    assert leftovers(root) == []


def test_no_or_two_files_of_a_name(tmp_path, root):
    with pytest.raises(DataError, match="it holds none"):
        unzip(pack(tmp_path, **{"other.txt": ""}), root, WANTED)
    with pytest.raises(DataError, match=r"once, it holds \['data0.h5', 'data0.h5'\]"):
        unzip(pack(tmp_path, **{"a/data0.h5": "", "b/data0.h5": ""}), root, WANTED)


def test_no_zip_file(tmp_path, root):
    path = tmp_path / "a.zip"
    path.write_bytes(b"<html>sign in</html>")
    with pytest.raises(DataError, match=r"no intact zip archive .* fetch it again"):
        unzip(path, root, WANTED)


def test_damaged_member_leaves_nothing(tmp_path, root):
    path = pack(tmp_path, **{"data0.h5": "whole" * 2000, "data1.h5": "abcdefgh" * 5000})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        start = file.getinfo("data1.h5").header_offset + 40
    content[start : start + 20] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(DataError, match="no intact zip archive"):
        unzip(path, root, WANTED)
    assert not root.exists()
    assert leftovers(root) == []


def test_full_disk_is_seen_before_unpacking(tmp_path, root, monkeypatch):
    usage = archive_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(archive_module.shutil, "disk_usage", lambda path: usage._replace(free=3))
    with pytest.raises(DiskFullError, match="unpacking needs"):
        unzip(pack(tmp_path, **{"data0.h5": "more than three bytes"}), root, WANTED)
    assert not root.exists()
