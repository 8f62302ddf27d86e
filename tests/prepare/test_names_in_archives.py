import tarfile

import pytest
from packing import entry, tarred, visible

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.archive import unpack


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a/..", "..\\x", "C:/x", "C:x", "a/.. /x", ".../x"])
def test_members_that_point_outside(tmp_path, root, name):
    with pytest.raises(DataError, match="points outside: do not trust this file"):
        unpack(tarred(tmp_path / "a.tar", entry("first", b"1"), entry(name, b"x")), root)
    assert visible(root) == {"first": b"1"}
    assert not (root.parent / "x").exists()


@pytest.mark.parametrize("name", [".unpacked-a.tar", ".unpacking-0123/done.json", ".UNPACKED-other", "./.unpacked-b"])
def test_an_archive_does_not_bring_our_notes_along(tmp_path, root, name):
    with pytest.raises(DataError, match="a name that says how far an archive is unpacked"):
        unpack(tarred(tmp_path / "a.tar", entry(name, b"9 bytes")), root)
    assert not root.exists()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("a//b", "1 to 255 bytes"), ("n" * 256, "1 to 255 bytes"), ("ä" * 128, "1 to 255 bytes"),
        ("a\nb", "no control character"), ("a\x1b[2Jb", "no control character"), ("a/" * 64 + "x", "at most 64"),
        ("/".join(["n" * 250] * 9), "2048 bytes"), ("./", "is the target folder"), ("n" * 70_000, "1 to 255 bytes"),
    ],
)  # fmt: skip
def test_names_that_no_file_should_have(tmp_path, root, name, rule):
    with pytest.raises(DataError, match=rule) as error:
        unpack(tarred(tmp_path / "a.tar", entry(name, b"x")), root)
    assert len(str(error.value)) < 1000
    assert str(error.value).isprintable()
    assert not root.exists()


def test_names_that_are_not_utf8(tmp_path, root):
    with pytest.raises(DataError, match=r"'b\\udce4r' whose name is not UTF-8"):
        unpack(tarred(tmp_path / "a.tar", entry("bär", b"x"), encoding="latin-1", format=tarfile.GNU_FORMAT), root)
    assert not root.exists()


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "./a"), ("A/x", "a/X"), ("straße", "STRASSE"), ("\u00e4", "a\u0308")]
)
def test_two_files_of_a_name_on_any_file_system(tmp_path, root, names):
    with pytest.raises(DataError, match=r"a.tar has '.*' twice, .*by hand"):
        unpack(tarred(tmp_path / "a.tar", *(entry(name, b"x") for name in names)), root)


def test_a_folder_may_come_twice_and_a_file_is_none(tmp_path, root):
    folder = entry("a", type=tarfile.DIRTYPE)
    unpack(tarred(tmp_path / "a.tar", folder, folder, entry("./a/./b", b"x"), entry(".", type=tarfile.DIRTYPE)), root)
    assert visible(root) == {"a/b": b"x"}
    with pytest.raises(DataError, match=r"x is no folder, the archive has one there"):
        unpack(tarred(tmp_path / "b.tar", entry("x", b"1"), entry("x/y", b"2")), root)
