import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from geo_lm4ve.files import (
    DiskFullError,
    WriteError,
    append_line,
    atomic_path,
    checksum,
    from_json,
    remove,
    sweep_folder,
    to_json,
    write_json,
)


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


@pytest.mark.parametrize(
    "raised",
    [
        RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"),
        OSError("1000000 requested and 0 written"),
        OSError("Can't synchronously write data (file write failed: errno = 28, error message = 'No space left')"),
    ],
)
def test_a_full_disk_is_known_by_whatever_a_library_makes_of_it(tmp_path, monkeypatch, raised):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=0))
    with pytest.raises(DiskFullError, match=r"a\.bin"), atomic_path(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"x")
        raise raised
    assert not list(tmp_path.iterdir())


def test_the_same_error_with_space_left_stays_what_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="unexpected pos"), atomic_path(tmp_path / "a.bin"):
        raise RuntimeError("unexpected pos 64 vs 0")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match=r"cannot write .*a\.txt.*Permission denied"):
        write_json(tmp_path / "a.txt", {})


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(WriteError, match=r"cannot write .*b\.json"):
        write_json(tmp_path / "a" / "b.json", {})


def test_an_error_about_another_file_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.bin"):
        (tmp_path / "elsewhere" / "b").read_bytes()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", "import os; from geo_lm4ve.files import _temporary_name as n; print(n('a[1].bin'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    dead = tmp_path / child.stdout.strip()
    living = tmp_path / dead.name.replace(dead.name.split(".")[-2].split("@")[0], str(os.getppid()))
    elsewhere = tmp_path / dead.name.replace("@", "@0")
    for path in (dead, living, elsewhere):
        path.mkdir()
        (path / "new").write_text("half")
        (path / ".tmpJ0qE0O").write_text("what safetensors writes first")
    with atomic_path(tmp_path / "a[1].bin") as temporary:
        temporary.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a[1].bin", living.name, elsewhere.name}


def test_the_longest_name_a_file_system_takes_can_be_written(tmp_path):
    name = "é" * 127
    write_json(tmp_path / name, {})
    assert [path.name for path in tmp_path.iterdir()] == [name]


def number(text):
    raise AssertionError(f"{text} is no JSON")


FLOATS = st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.sampled_from(["NaN", "Infinity", "-Infinity"]))


@given(st.recursive(FLOATS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=6))
@settings(max_examples=50)
@example({"a": [float("nan"), float("inf"), float("-inf"), "NaN"]})
def test_json_is_valid_and_loses_nothing(value):
    for text in (to_json(value), to_json(value, indent=2)):
        json.loads(text, parse_constant=number)  # what other readers refuse
        assert repr(from_json(text)) == repr(value)


def test_numbers_that_earlier_versions_wrote_are_read():
    assert repr(from_json('[NaN, Infinity, -Infinity, {"$numberDouble": "1"}]')) == repr(
        [float("nan"), float("inf"), float("-inf"), {"$numberDouble": "1"}]
    )


def test_a_file_holds_them_too(tmp_path):
    write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text(), parse_constant=number) == {"loss": {"$numberDouble": "NaN"}}


def test_a_line_is_appended_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "log.jsonl"
    append_line(target, "one")

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"^no space left while writing .*log\.jsonl"):
        append_line(target, "two")
    monkeypatch.undo()
    append_line(target, "three")
    assert target.read_text() == "one\nthree\n"


def test_a_line_for_a_folder_that_is_gone_names_the_file(tmp_path):
    with pytest.raises(WriteError, match=r"cannot write .*gone/log\.jsonl \(No such file"):
        append_line(tmp_path / "gone" / "log.jsonl", "one")


def test_what_cannot_be_removed_is_named(tmp_path):
    remove(tmp_path / "absent")
    with pytest.raises(WriteError, match=rf"cannot remove {tmp_path} \("):
        remove(tmp_path)


def test_a_folder_is_swept_with_what_lies_below(tmp_path):
    from geo_lm4ve.files import host

    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = [f".a.pt.{dead.stdout.strip()}@{host()}.tmp", f".a.pt.{os.getppid()}@{host()}.tmp", ".a.pt.1x@abc.tmp"]
    for name in left:
        (tmp_path / "sub").mkdir(exist_ok=True)
        (tmp_path / "sub" / name).write_text("half")
    sweep_folder(tmp_path)
    assert sorted(path.name for path in (tmp_path / "sub").iterdir()) == sorted(left[1:])


def _torch(path):
    torch.save({"a": torch.zeros(50_000)}, path)


def _safetensors(path):
    save_file({"a": torch.zeros(50_000)}, path)


def _numpy(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(50_000))


def _hdf5(path):
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(50_000)


def _parquet(path):
    pq.write_table(pa.table({"a": np.random.default_rng(0).random(50_000)}), path)


def _picture(path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(path, format="png")


def _text(path):
    path.write_text("x" * 100_000)


@pytest.mark.parametrize("write", [_torch, _safetensors, _numpy, _hdf5, _parquet, _picture, _text])
@pytest.mark.parametrize("left", [0, 20_000])
def test_on_a_disk_that_is_full_every_library_says_so_and_leaves_nothing(tiny_disk, write, left):
    target = tiny_disk.folder / "a.bin"
    write_json(target, "before")
    tiny_disk.fill(left)
    said = rf"^no space left while writing {target}; free some"
    with pytest.raises(DiskFullError, match=said), atomic_path(target) as temporary:
        write(temporary)
    assert sorted(path.name for path in tiny_disk.folder.iterdir()) == ["a.bin", "filler"]
    assert target.read_text() == '"before"\n'
