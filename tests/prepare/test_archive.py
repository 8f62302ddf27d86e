import errno
import io
import os

import pytest
from packing import WHOLE, entry, found, tarred, visible

from geo_lm4ve.files import DiskFullError
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare import archive as module
from geo_lm4ve.prepare import folder as folder_module
from geo_lm4ve.prepare.archive import unpack, unpack_chosen
from geo_lm4ve.prepare.members import Limits


@pytest.mark.usefixtures("_both")
def test_every_file_of_every_format_once(archive, root, capsys):
    unpack(archive, root)
    assert visible(root) == WHOLE
    assert set(found(root)) - set(WHOLE) == {f".unpacked-{archive.name}"}
    assert f"unpacking {archive.name}: 0 MB" in capsys.readouterr().err
    (root / "4.csv").unlink()
    unpack(archive, root)
    assert "is unpacked already" in capsys.readouterr().err
    assert "4.csv" not in visible(root)


@pytest.mark.usefixtures("_both")
@pytest.mark.parametrize("mine", ["mine", "tw", "two" * 999 + "twi", "two" * 1001])
def test_a_file_of_the_user_is_left_alone(archive, root, mine):
    (root / "train").mkdir(parents=True)
    (root / "train" / "2.csv").write_text(mine)
    for _ in range(2):
        with pytest.raises(DataError, match=r"2.csv is not the train/2.csv of .*left as it is.*--root"):
            unpack(archive, root)
        assert (root / "train" / "2.csv").read_text() == mine
    (root / "train" / "2.csv").unlink()
    unpack(archive, root)
    assert visible(root) == WHOLE


@pytest.mark.usefixtures("_both")
def test_links_in_the_target_are_not_followed(archive, tmp_path, root):
    outside = tmp_path / "outside"
    outside.mkdir()
    root.mkdir(parents=True)
    (root / "train").symlink_to(outside)
    with pytest.raises(DataError, match=r"train is no folder.*links are not followed.*--root"):
        unpack(archive, root)
    (root / "train").unlink()
    (root / "4.csv").symlink_to(outside / "4.csv")
    with pytest.raises(DataError, match=r"4.csv is not the 4.csv of"):
        unpack(archive, root)
    assert not list(outside.iterdir())


def test_the_target_itself_may_be_a_link(archive, tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "small").symlink_to(tmp_path / "large")
    unpack(archive, tmp_path / "small")
    assert visible(tmp_path / "large") == WHOLE


@pytest.mark.parametrize("take", [unpack, lambda archive, root: unpack_chosen(archive, root, r".*\.csv")])
def test_full_disk_leaves_nothing_partial(archive, root, monkeypatch, take):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def create(self, name):
        os.close(os.open(self._at(name), os.O_CREAT | os.O_WRONLY, dir_fd=self.handle))
        return Full()

    monkeypatch.setattr(folder_module.Folder, "create", create)
    with pytest.raises(DiskFullError, match=r"no space left while unpacking into .*processed; free some"):
        take(archive, root)
    assert not root.exists() or visible(root) == {}
    assert {path.name for path in root.glob(".unpacking-*/*")} <= {"done.json"}
    monkeypatch.undo()
    take(archive, root)


@pytest.mark.parametrize("take", [unpack, lambda archive, root: unpack_chosen(archive, root, r".*\.csv")])
def test_full_disk_is_seen_before_unpacking(archive, root, monkeypatch, take):
    usage = module.shutil.disk_usage("/")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage._replace(free=2))
    with pytest.raises(DiskFullError, match="GB free, unpacking needs"):
        take(archive, root)
    assert visible(root) == {} if root.exists() else True


def test_other_failures_of_the_target_name_it(archive, root):
    root.parent.mkdir()
    root.write_text("a file")
    with pytest.raises(DataError, match=r"cannot unpack into .*processed .*--root"):
        unpack(archive, root)
    with pytest.raises(DataError, match="there is no archive"):
        unpack(archive.with_name("missing.tar"), root)


@pytest.mark.parametrize("name", ["n" * 255, "ä" * 127, "n" * 251 + ".csv"])
def test_names_as_long_as_they_may_be(tmp_path, root, name):
    archive = tarred(tmp_path / ("a" * 251 + ".tar"), entry(name, b"content"))
    unpack(archive, root)
    assert visible(root) == {name: b"content"}
    unpack(archive, root)


def test_what_an_archive_may_become_is_the_callers_to_say(tmp_path, root):
    archive = tarred(tmp_path / "a.tar.gz", entry("a", bytes(100_000)), mode="w:gz")
    with pytest.raises(DataError, match=r"a.tar.gz has [\d,]+ bytes and becomes 100,864 or more; more than 2 times"):
        unpack(archive, root, Limits(ratio=2, floor=100_000))
    assert not root.exists()
    with pytest.raises(DataError, match="more than 0 members"):
        unpack(archive, root, Limits(members=0))
    unpack(archive, root, Limits(ratio=2, floor=200_000))
