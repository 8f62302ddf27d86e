"""Folders and archives answer alike, from several threads, and what an archive declares is not trusted."""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from image_files import write_files, write_tar, write_zip

from geo_lm4ve.images.stores.opened import open_store
from geo_lm4ve.parts.data import DataError

FILES = {"b/x.txt": b"x" * 5000, "a/y.txt": b"", "a/deep/z.bin": bytes(range(256)), "note": b"n"}
HIDDEN = {".DS_Store": b"?", "a/._y.txt": b"?", "__MACOSX/a/y.txt": b"?"}
METHODS = {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Where what lies in a tar is noted."""
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tar_index"


def made(kind, folder):
    """A store of this kind of all these files."""
    files = {**FILES, **HIDDEN}
    if kind == "folder":
        return open_store(write_files(folder / "files", files), "")
    if kind == "tar":
        return open_store(write_tar(folder / "files.tar", files), "")
    return open_store(write_zip(folder / "files.zip", files, METHODS[kind]), "")


@pytest.mark.parametrize("kind", ["folder", "stored", "deflated", "tar"])
def test_stores_know_their_files_and_read_them_in_threads(kind, tmp_path):
    store = made(kind, tmp_path)
    assert list(store.names()) == sorted(FILES)
    assert list(store.folders()) == ["a", "a/deep", "b"]
    with ThreadPoolExecutor(8) as pool:
        names = sorted(FILES) * 20
        assert list(pool.map(store.read, names)) == [FILES[name] for name in names]


@pytest.mark.parametrize("kind", ["folder", "stored", "deflated", "tar"])
def test_stamps_change_with_a_file(kind, tmp_path, monkeypatch):
    before = list(made(kind, tmp_path).stamp(sorted(FILES)))
    monkeypatch.setitem(FILES, "note", b"nn")
    assert list(made(kind, tmp_path).stamp(sorted(FILES))) != before


def test_a_folder_that_all_members_lie_in_is_left_out(tmp_path):
    store = open_store(write_zip(tmp_path / "x.zip", {f"set/{name}": content for name, content in FILES.items()}), "")
    assert list(store.names()) == sorted(FILES)
    assert store.where("note").endswith("x.zip, set/note")


def test_links_are_followed_but_not_in_circles(tmp_path):
    write_files(tmp_path / "elsewhere", {"1.png": b"1"})
    write_files(tmp_path / "set", {"dog/2.png": b"2"})
    (tmp_path / "set" / "cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "dog" / "up").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "dog" / "gone.png").symlink_to(tmp_path / "nowhere")
    store = open_store(tmp_path / "set", "")
    assert list(store.names()) == ["cat/1.png", "dog/2.png", "dog/gone.png"]
    assert store.read("cat/1.png") == b"1"
    with pytest.raises(DataError, match=r"dog/gone\.png is missing"):
        store.read("dog/gone.png")


def test_damage_in_an_archive_is_named(tmp_path):
    path = write_zip(tmp_path / "files.zip", FILES)
    store = open_store(path, "")
    content = bytearray(path.read_bytes())
    content[content.index(b"x" * 100)] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"files\.zip, b/x\.txt .*its checksum is another one"):
        store.read("b/x.txt")
    path.write_bytes(content[:-30])
    with pytest.raises(DataError, match=r"files\.zip .*get it again|files\.zip .*fetch it again"):
        open_store(path, "")


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png"])
def test_names_that_point_outside_are_refused(name, tmp_path):
    with pytest.raises(DataError, match="points outside"):
        open_store(write_zip(tmp_path / "files.zip", {name: b"1"}), "")


def test_what_is_no_store_is_refused_with_the_next_step(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*nothing: get it"):
        open_store(tmp_path / "nothing", "get it")
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(DataError, match=r"x\.rar is neither a folder nor an archive .*set data\.root to the folder"):
        open_store(tmp_path / "x.rar", "")
    with pytest.raises(DataError, match=r"has a/y\.txt packed by another method than deflate"):
        open_store(write_zip(tmp_path / "x.zip", {"a/y.txt": b"y" * 999, "b": b""}, zipfile.ZIP_BZIP2), "")


def test_a_tar_is_read_through_once(tmp_path, cache):
    made("tar", tmp_path)
    (note,) = cache.glob("*.json")
    before = note.stat().st_mtime_ns, (tmp_path / "files.tar").stat()
    content = bytearray((tmp_path / "files.tar").read_bytes())
    content[0] ^= 1  # of the first header: who reads it again notices
    (tmp_path / "files.tar").write_bytes(content)
    os.utime(tmp_path / "files.tar", ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
    assert list(open_store(tmp_path / "files.tar", "").names()) == sorted(FILES)
    assert note.stat().st_mtime_ns == before[0]
    write_tar(tmp_path / "files.tar", {**FILES, "new": b"new"})
    store = open_store(tmp_path / "files.tar", "")
    assert list(store.names()) == sorted([*FILES, "new"])
    assert store.read("new") == b"new"


@pytest.mark.parametrize("spoiled", ["", "[]", '{"tar": 1}', '{"tar": [STATE], "members": [], "check": ""}'])
def test_a_spoiled_note_is_made_again(spoiled, tmp_path, cache, capsys):
    path = made("tar", tmp_path).place
    (note,) = cache.glob("*.json")
    status = path.stat()
    note.write_text(spoiled.replace("STATE", f"{status.st_size}, {status.st_mtime_ns}"))
    assert list(open_store(path, "").names()) == sorted(FILES)
    assert "reading the archive through again" in capsys.readouterr().err


def test_a_compressed_tar_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"files\.tar is compressed as a whole, .* unpack it"):
        open_store(write_tar(tmp_path / "files.tar", FILES, "w:gz"), "")
