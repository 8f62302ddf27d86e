import errno
from pathlib import Path

import pytest

from geo_lm4ve.files import DiskFullError, atomic_path, checksum, write_json


def test_failure_leaves_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_full_disk_names_the_file_and_leaves_nothing(tmp_path):
    target = tmp_path / "a.bin"
    with pytest.raises(DiskFullError, match=r"a\.bin"), atomic_path(target) as temporary:
        temporary.write_bytes(b"x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_real_full_device_is_reported(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(DiskFullError), atomic_path(tmp_path / "a.bin") as temporary:
        temporary.symlink_to("/dev/full")
        with temporary.open("w") as handle:
            handle.write("x" * 1_000_000)
    assert not list(tmp_path.iterdir())


def test_json_round_trip_and_checksum(tmp_path):
    write_json(tmp_path / "sub" / "a.json", {"b": 1})
    assert (tmp_path / "sub" / "a.json").read_text() == '{\n  "b": 1\n}\n'
    (tmp_path / "abc").write_bytes(b"abc")
    assert checksum(tmp_path / "abc", "md5") == "900150983cd24fb0d6963f7d28e17f72"
