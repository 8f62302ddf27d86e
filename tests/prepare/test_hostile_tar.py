import gzip
import os
import tarfile

import pytest
from packing import entry, found, tarred, visible

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare import folder as folder_module
from geo_lm4ve.prepare.archive import unpack

BLOCK = tarfile.BLOCKSIZE


def link(name, target, kind=tarfile.SYMTYPE):
    return entry(name, type=kind, linkname=target)


def escape():
    """CVE-2025-4517: short links lead beyond PATH_MAX, where ``os.path.realpath`` sees no link, the kernel does."""
    entries, path = [], ""
    for short in "abcdefghijklmnop":
        entries += [entry(path + "d" * 247, type=tarfile.DIRTYPE), link(path + short, "d" * 247)]
        path += "d" * 247 + "/"
    up = "/".join("abcdefghijklmnop") + "/" + "l" * 254
    return [*entries, link(up, "../" * 16), link("escape", up + "/.."), entry("escape/pwn", b"pwned")]


def test_the_escape_of_cve_2025_4517(tmp_path, root, monkeypatch):
    archive = tarred(tmp_path / "a.tar", *escape())
    if not hasattr(os.path, "ALLOW_MISSING"):  # came with the fix: this interpreter lacks it
        plain = tmp_path / "plain" / "out"
        with tarfile.open(archive) as content:
            content.extractall(plain, filter="data")
        assert (tmp_path / "plain" / "pwn").read_bytes() == b"pwned"
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: os.path.abspath(path))  # noqa: PTH100 (the flaw)
    with pytest.raises(DataError, match=r"a.tar has a symbolic link, 'a'; only files and folders are unpacked"):
        unpack(archive, root)
    assert visible(root) == {}
    assert not (root.parent / "pwn").exists()


@pytest.mark.parametrize("handles", [True, False])
def test_links_of_that_kind_that_are_there_already_are_not_followed(tmp_path, root, monkeypatch, handles):
    monkeypatch.setattr(folder_module, "HANDLES", handles and folder_module.HANDLES)
    with tarfile.open(tarred(tmp_path / "links.tar", *escape()[:-1])) as content:
        content.extractall(root, filter="fully_trusted")
    (root / "escape" / "probe").write_text("")
    assert (root.parent / "probe").exists()  # the links do lead outside
    with pytest.raises(DataError, match=r"escape is no folder, .*links are not followed"):
        unpack(tarred(tmp_path / "a.tar", escape()[-1]), root)
    assert not (root.parent / "pwn").exists()


@pytest.mark.parametrize(
    "entries",
    [
        [link("there", "/tmp"), entry("there/x", b"x")],
        [link("there", ".."), entry("there/x", b"x")],
        [entry("sub", type=tarfile.DIRTYPE), link("a", "sub"), link("a/b", ".."), entry("a/b/x", b"x")],
        [entry("x", b"x"), link("y", "x", tarfile.LNKTYPE)],
        [link("y", "missing", tarfile.LNKTYPE)],
        [link("y", "../../etc/passwd", tarfile.LNKTYPE)],
        [entry("pipe", type=tarfile.FIFOTYPE)],
        [entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
        [entry("disk", type=tarfile.BLKTYPE)],
        [entry("holes", type=tarfile.GNUTYPE_SPARSE)],
        [entry("holes", b"1\n0\n1\n", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.name": "x"})],
        [entry("rest", b"x", type=b"M")],
        [entry("what", b"x", type=b"Q")],
    ],
)
def test_links_devices_and_the_like_are_refused_by_name(tmp_path, root, entries):
    with pytest.raises(DataError, match=r"a.tar has a .*(link|pipe|device|sparse file|archives|type b'Q').*'.*by hand"):
        unpack(tarred(tmp_path / "a.tar", *entries), root)
    assert set(visible(root) if root.exists() else ()) <= {"x"}
    assert not any(path.is_symlink() for path in root.rglob("*"))


@pytest.mark.parametrize("mtime", [-1, 1e30, 2**62, -(2**62)])
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_times_modes_and_owners_of_the_archive_do_not_matter(tmp_path, root, mtime, format):
    odd = entry("a", b"x", mode=0o4000, uid=2**30, uname="nobody" * 3)
    if format == tarfile.PAX_FORMAT:
        odd[0].pax_headers = {"mtime": str(mtime), "atime": "nan"}
    else:
        odd[0].mtime = max(min(int(mtime), 2**62), -(2**62))
    unpack(tarred(tmp_path / "a.tar", odd, format=format), root)
    assert visible(root) == {"a": b"x"}
    assert (root / "a").stat().st_mode & 0o7600 == 0o600
    assert abs((root / "a").stat().st_mtime - (root / ".unpacked-a.tar").stat().st_mtime) < 60


def extended(content, size=None, kind=tarfile.XHDTYPE):
    """A tar archive of one extended header before a file."""
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, len(content) if size is None else size
    packed = header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % BLOCK)
    file = tarfile.TarInfo("file")
    file.size = 1
    return packed + file.tobuf(tarfile.USTAR_FORMAT) + b"x" + bytes(BLOCK - 1 + 2 * BLOCK)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_extended_headers_of_any_size_are_not_read(tmp_path, root, kind):
    path = tmp_path / "a.tar"
    path.write_bytes(extended(b"", 5 << 30, kind))
    with pytest.raises(DataError, match=r"an extended header of 5,368,709,120 bytes .* allowed are 1,048,576"):
        unpack(path, root)


@pytest.mark.parametrize(
    "content",
    [b"5 a=b\n", b"99 a=b\n", b"6 a=b", b"-6 a=b\n", b"6  ab\n\n", b"x a=b\n", b"0 a=b\n", b"1" * 600,
     b"14 size=1e30\n\n", b"12 size=-9\n", b"13 size=abc\n", b"30 size=99999999999999999999\n"],
)  # fmt: skip
def test_bad_records_of_extended_headers_are_named(tmp_path, root, content):
    path = tmp_path / "a.tar"
    path.write_bytes(extended(content))
    with pytest.raises(DataError, match=r"a.tar, '(extended header|file).* intact archive .*fetch it again"):
        unpack(path, root)
    assert not root.exists()


def test_extended_headers_that_are_right(tmp_path, root):
    (tmp_path / "a.tar").write_bytes(extended(b"14 path=other\n" + b"13 mtime=abc\n"))
    unpack(tmp_path / "a.tar", root)
    assert visible(root) == {"other": b"x"}


MODES = ["w", "w:gz", "w:bz2", "w:xz"]


@pytest.mark.parametrize("mode", MODES)
def test_an_archive_that_is_cut_off_anywhere(tmp_path, root, mode):
    path = tarred(
        tmp_path / "a.tar", entry("1", os.urandom(700)), entry("2", b""), entry("3", os.urandom(9)), mode=mode
    )
    whole = path.read_bytes()
    end = 6 * BLOCK if mode == "w" else len(whole) - 1
    for kept in [*range(0, end, BLOCK if mode == "w" else 97), end]:
        path.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=r"a.tar.* intact archive .*fetch it again"):
            unpack(path, root)
        assert not list(root.glob(".unpacked-*"))
    path.write_bytes(whole)
    unpack(path, root)
    assert set(visible(root)) == {"1", "2", "3"}


@pytest.mark.parametrize("mode", MODES)
def test_any_byte_of_a_compressed_archive_counts(tmp_path, root, mode):
    """A plain one has checksums of its headers only."""
    path = tarred(tmp_path / "a.tar", entry("1", os.urandom(300)), entry("2", b"x"), mode=mode)
    whole = path.read_bytes()
    places = range(0, 500, 50) if mode == "w" else range(20, len(whole), 41)  # behind the name in a header of gzip
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(DataError, match=r"a.tar(.* intact archive| has )"):
            unpack(path, root)
        assert not list(root.glob(".unpacked-*"))
        if (root / "1").exists():
            (root / "1").unlink()  # as the message says
        if (root / "2").exists():
            (root / "2").unlink()


def test_a_damaged_header_is_no_end(tmp_path, root):
    path = tarred(tmp_path / "a.tar", entry("1", b"x"), entry("2", b"y"), entry("3", b"z"))
    content = bytearray(path.read_bytes())
    content[2 * BLOCK + 148] ^= 1
    path.write_bytes(content)
    with tarfile.open(path) as plain:
        assert plain.getnames() == ["1"]  # what tarfile makes of it
    with pytest.raises(DataError, match=r"'header at byte 1024' is .*intact archive \(.*bad checksum\)"):
        unpack(path, root)
    assert not list(root.glob(".unpacked-*"))


def test_a_size_beyond_the_archive_is_no_matter_of_the_disk(tmp_path, root):
    header = tarfile.TarInfo("huge")
    header.size = 1 << 60
    path = tmp_path / "a.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(9 * BLOCK))
    with pytest.raises(DataError, match=r"a.tar, 'huge' is .*intact archive \(.*cut off\)"):
        unpack(path, root)
    assert not root.exists()


def test_a_second_archive_behind_the_end(tmp_path, root):
    one, two = tarred(tmp_path / "1.tar", entry("1", b"x")), tarred(tmp_path / "2.tar", entry("2", b"y"))
    path = tmp_path / "a.tar"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(DataError, match=r"goes on with members behind its end.*ignore-zeros"):
        unpack(path, root)
    path.write_bytes(one.read_bytes() + b"rubbish" * 1000)
    unpack(path, root)
    assert visible(root) == {"1": b"x"}


@pytest.mark.parametrize(
    "content", [b"", bytes(BLOCK), bytes(20 * BLOCK), b"<html>sign in</html>", gzip.compress(b"", mtime=0)]
)
def test_no_archive_at_all(tmp_path, root, content):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.tar(.* intact archive .*| holds no file.*)fetch it again"):
        unpack(path, root)
    assert not root.exists()


@pytest.mark.parametrize("place", ["declared", "behind the end"])
def test_bombs(tmp_path, root, place):
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        info = tarfile.TarInfo("zeros")
        info.size = 120_000_000 if place == "declared" else 0
        packed.write(info.tobuf(tarfile.GNU_FORMAT))
        if place != "declared":
            for _ in range(101):
                packed.write(bytes(1_000_000))
    with pytest.raises(DataError, match=r"more than 200 times its size.*do not trust this file"):
        unpack(path, root)
    assert sum(map(len, found(root).values()) if root.exists() else ()) < 1000
