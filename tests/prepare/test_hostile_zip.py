import stat
import struct
import zipfile

import pytest
from packing import entry, tarred, visible, zipped

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.archive import unpack, unpack_chosen

WANTED = r"data\d+\.h5|names\.txt"


TAKES = pytest.mark.parametrize("take", [unpack, lambda archive, root: unpack_chosen(archive, root, WANTED)])


def info(name, **fields):
    member = zipfile.ZipInfo(name)
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def altered(path, changes, name="data0.h5"):
    """Overwrite fields of a member: (offset in the local header, offset in the directory, format, value)."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        local, start = archive.getinfo(name).header_offset, archive.start_dir
    entry = content.index(b"PK\1\2", start)
    while content[entry + 46 : entry + 46 + len(name)] != name.encode():
        entry = content.index(b"PK\1\2", entry + 4)
    for in_local, in_directory, form, value in changes:
        if in_local is not None:
            struct.pack_into(form, content, local + in_local, value)
        if in_directory is not None:
            struct.pack_into(form, content, entry + in_directory, value)
    path.write_bytes(content)
    return path


def refused(take, archive, root, message):
    with pytest.raises(DataError, match=message) as error:
        take(archive, root)
    assert not root.exists() or visible(root) == {}
    assert not list(root.parent.glob(".unpack*"))
    return str(error.value)


@TAKES
@pytest.mark.parametrize("name", ["../data1.h5", "/data1.h5", "top/../../data1.h5", "..\\data1.h5", "C:/data1.h5"])
def test_members_that_point_outside(tmp_path, root, take, name):
    archive = zipped(tmp_path / "a.zip", ("data0.h5", "x"), (name, "y"))
    refused(take, archive, root, "points outside: do not trust this file")
    assert not (tmp_path / "set").exists()


@TAKES
def test_a_name_that_ends_at_a_zero_byte(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("data0.h5_evil", "x"))
    archive.write_bytes(archive.read_bytes().replace(b"data0.h5_evil", b"data0.h5\0evil"))
    refused(take, archive, root, r"'data0.h5\\x00evil'; .*no control character")


@TAKES
@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"external_attr": (stat.S_IFLNK | 0o777) << 16}, "a symbolic link"),
        ({"external_attr": (stat.S_IFCHR | 0o777) << 16}, "a device or pipe"),
        ({"external_attr": (stat.S_IFIFO | 0o777) << 16}, "a device or pipe"),
    ],
)
def test_links_and_devices(tmp_path, root, take, fields, what):
    archive = zipped(tmp_path / "a.zip", (info("data0.h5", create_system=3, **fields), "/etc/passwd"))
    refused(take, archive, root, rf"a.zip has {what}, 'data0.h5'; .*by hand.*--root")


@TAKES
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ((6, 8, "<H", 0x1), "an encrypted member"),
        ((6, 8, "<H", 0x2041), "an encrypted member"),
        ((8, 10, "<H", 99), "packed by method 99"),
        ((8, 10, "<H", 93), "packed by method 93"),
    ],
)
def test_encrypted_members_and_unknown_methods(tmp_path, root, take, change, what):
    archive = altered(zipped(tmp_path / "a.zip", ("data1.h5", "ok"), ("data0.h5", "secret")), [change])
    refused(take, archive, root, rf"a.zip has .*{what}.*'data0.h5'; .*by hand.*--root")


@TAKES
@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("size", [1, 4999, 5001, 100_000])
def test_sizes_that_lie(tmp_path, root, take, packed, size):
    archive = zipped(tmp_path / "a.zip", ("data0.h5", b"whole" * 1000), packed=packed)
    altered(archive, [(22, 24, "<I", size)])
    refused(take, archive, root, r"a.zip, 'data0.h5' .* intact archive .*fetch it again")


@TAKES
def test_a_size_that_lies_with_a_checksum_to_match(tmp_path, root, take):
    """More is declared than there is, and the checksum is that of what there is."""
    archive = altered(zipped(tmp_path / "a.zip", ("data0.h5", b"whole" * 1000)), [(22, 24, "<I", 6000)])
    refused(take, archive, root, r"not the 6000 bytes that are declared")
    altered(archive, [(22, 24, "<I", 5), (14, 16, "<I", zipfile.crc32(b"whole"))])
    take(archive, root)
    assert visible(root) == {"data0.h5": b"whole"}  # as declared, and no more


@TAKES
@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_wrong_checksum(tmp_path, root, take, packed):
    archive = zipped(tmp_path / "a.zip", ("data0.h5", b"whole" * 1000), packed=packed)
    refused(take, altered(archive, [(14, 16, "<I", 1)]), root, r"'data0.h5' is .*intact archive \(.*Bad CRC-32")


@TAKES
def test_damaged_content_leaves_nothing(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("data1.h5", b"abcdefgh" * 5000))
    content = bytearray(archive.read_bytes())
    content[40:60] = bytes(20)
    archive.write_bytes(content)
    refused(take, archive, root, r"'data1.h5' .* intact archive .*fetch it again")


@TAKES
def test_an_archive_that_is_cut_off_anywhere(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("data0.h5", b"whole" * 100), ("data1.h5", b"x"))
    whole = archive.read_bytes()
    for kept in range(0, len(whole), 7):
        archive.write_bytes(whole[:kept])
        refused(take, archive, root, "a.zip.* intact archive .*fetch it again")


@TAKES
def test_two_files_of_a_name_on_any_file_system(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("top/data0.h5", "1"), ("TOP/Data0.h5", "2"))
    refused(take, archive, root, r"a.zip has 'TOP/Data0.h5' twice, .*by hand")


@TAKES
def test_a_bomb_is_seen_before_anything_is_unpacked(tmp_path, root, take):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as content:
        content.writestr("names.txt", b"x")
        with content.open("data0.h5", "w") as file:
            for _ in range(101):
                file.write(bytes(1_000_000))
    refused(take, archive, root, r"a.zip has [\d,]+ bytes and becomes 101,000,001 or more; .*do not trust this file")


def overlapping(path, quoted):
    """Two members that share one content; ``quoted``: the first one's content begins with the second one's header."""
    archive = zipped(path, ("data0.h5", b"kernel" * 50), ("data1.h5", b"kernel" * 50), packed=zipfile.ZIP_STORED)
    with zipfile.ZipFile(archive) as content:
        first, second = content.infolist()
    if quoted:
        return altered(archive, [(18, 20, "<I", second.header_offset), (22, 24, "<I", second.header_offset)])
    return altered(archive, [(None, 42, "<I", first.header_offset)], "data1.h5")


@TAKES
@pytest.mark.parametrize("quoted", [True, False])
def test_members_that_overlap(tmp_path, root, take, quoted):
    refused(
        take, overlapping(tmp_path / "a.zip", quoted), root, r"members that overlap, 'data1.h5' lies in another one"
    )


@TAKES
def test_members_that_overlap_by_a_longer_field_in_the_local_header(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("data0.h5", b"k" * 50), ("data1.h5", b"k" * 50), packed=zipfile.ZIP_STORED)
    refused(take, altered(archive, [(28, None, "<H", 20)]), root, "members that overlap")


@TAKES
def test_a_member_beyond_the_archive_is_seen_before_anything_is_unpacked(tmp_path, root, take):
    archive = zipped(tmp_path / "a.zip", ("data1.h5", b"ok"), ("data0.h5", b"k" * 50), packed=zipfile.ZIP_STORED)
    altered(archive, [(18, 20, "<I", 10**6), (22, 24, "<I", 10**6)])
    refused(take, archive, root, r"'data0.h5' is .*intact archive \(.*its content is not where it is declared")


@TAKES
def test_a_member_that_is_not_where_it_is_declared(tmp_path, root, take):
    for offset in (3, 10**6):
        archive = zipped(tmp_path / "a.zip", ("data0.h5", b"k" * 50))
        altered(archive, [(None, 42, "<I", offset)])
        refused(take, archive, root, r"'data0.h5' .* intact archive")


def test_a_zip_archive_at_the_end_of_a_tar_archive_makes_no_zip_archive_of_it(tmp_path, root):
    inner = zipped(tmp_path / "inner.zip", ("data0.h5", b"inner")).read_bytes()
    path = tarred(tmp_path / "a.tar", entry("inner.zip", inner), entry("data0.h5", b"outer"))
    unpack(path, root)
    assert zipfile.is_zipfile(path)
    assert visible(root) == {"inner.zip": inner, "data0.h5": b"outer"}


def test_empty_archive(tmp_path, root):
    refused(unpack, zipped(tmp_path / "a.zip"), root, "holds no file")
