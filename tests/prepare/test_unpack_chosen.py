import pytest
from packing import Killed, entry, found, killed_at, tarred, zipped

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.archive import unpack_chosen

WANTED = r"data\d+\.h5|names\.txt"


@pytest.mark.usefixtures("_both")
@pytest.mark.parametrize("format", ["zip", "tar.gz"])
def test_chosen_files_without_their_folders(tmp_path, root, format):
    members = [("top/data0.h5", b"zero"), ("top/a/data12.h5", b"twelve"), ("names.txt", b"n"), ("top/README", b"r")]
    path = tmp_path / f"a.{format}"
    if format == "zip":
        zipped(path, *members, ("top/data3.h5/", b""))
    else:
        tarred(path, *(entry(*member) for member in members), mode="w:gz")
    paths = unpack_chosen(path, root, WANTED)
    assert sorted(path.name for path in paths) == ["data0.h5", "data12.h5", "names.txt"]
    assert found(root) == {"data0.h5": b"zero", "data12.h5": b"twelve", "names.txt": b"n"}
    assert [path.name for path in root.iterdir() if path.is_dir()] == []


def test_what_lies_in_the_target_of_chosen_files_stays(tmp_path, root):
    root.mkdir(parents=True)
    (root / "mine.txt").write_text("mine")
    (root / "data1.h5").write_text("one")
    path = zipped(tmp_path / "a.zip", ("data0.h5", "zero"), ("data1.h5", "one"))
    unpack_chosen(path, root, WANTED)
    assert found(root) == {"mine.txt": b"mine", "data0.h5": b"zero", "data1.h5": b"one"}
    (root / "data0.h5").unlink()
    (root / "data1.h5").write_text("two")
    with pytest.raises(DataError, match=r"data1.h5 is not the data1.h5 of .*left as it is: delete it .*--root"):
        unpack_chosen(path, root, WANTED)
    assert found(root) == {"mine.txt": b"mine", "data1.h5": b"two"}


def test_chosen_files_are_all_there_or_none(archive, root, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 2)
        unpack_chosen(archive, root, r".*\.csv")
    assert not root.exists()
    assert len(unpack_chosen(archive, root, r".*\.csv")) == 4


@pytest.mark.parametrize(
    "names", [("other.txt",), ("a/data0.h5", "b/data0.h5"), ("a/names.txt", "data0.h5", "b/names.txt")]
)
def test_no_or_two_chosen_files_of_a_name(tmp_path, root, names):
    with pytest.raises(DataError, match=r"each file named like .* once, it holds (none|\[.*(data0.h5|names.txt).*\])"):
        unpack_chosen(zipped(tmp_path / "a.zip", *((name, "") for name in names)), root, WANTED)
    assert not root.exists()
