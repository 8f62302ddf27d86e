import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from packing import WHOLE, Killed, entry, found, killed_at, tarred, visible

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.archive import unpack
from geo_lm4ve.prepare.folder import HANDLES
from geo_lm4ve.prepare.staging import staging_name
from geo_lm4ve.prepare.tar_members import TarMembers
from geo_lm4ve.prepare.zip_members import ZipMembers


@pytest.mark.parametrize("count", range(len(WHOLE)))
def test_a_run_that_ends_in_the_middle_is_taken_up_again(archive, root, monkeypatch, count):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, count)
        unpack(archive, root)
    assert visible(root) == dict(list(WHOLE.items())[:count])
    assert not root.exists() or list(root.glob(".unpacking-*/*")) == list(root.glob(".unpacking-*/done.json"))
    unpack(archive, root)
    assert visible(root) == WHOLE
    assert not list(root.glob(".unpacking-*"))


def test_what_the_note_vouches_for_is_not_read_again_and_what_was_changed_since_is(tmp_path, root, monkeypatch):
    archive = tarred(tmp_path / "a.tar", *(entry(*item) for item in WHOLE.items()))
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_at(patch, 3)
        unpack(archive, root)
    later = time.time_ns() + 10**9
    note = next(root.glob(".unpacking-*/done.json"))
    os.utime(note, ns=(later, later))  # clocks of files tick in milliseconds
    read, real = set(), TarMembers.content
    monkeypatch.setattr(TarMembers, "content", lambda self, member: read.add(member.name) or real(self, member))
    os.utime(root / "train" / "1.csv", ns=(later + 1, later + 1))
    unpack(archive, root)
    assert read == {"train/1.csv", *list(WHOLE)[3:]}
    assert visible(root) == WHOLE


@pytest.mark.parametrize("text", ["", "[]", '{"archive": 3}', '{"archive": [1, 2], "done": 1000000, "position": 0}'])
def test_a_note_that_says_nothing_of_this_archive_is_not_trusted(archive, root, text):
    staging = root / staging_name(archive)
    staging.mkdir(parents=True)
    (staging / "part").write_bytes(b"half")
    (staging / "done.json").write_text(text)
    (root / "4.csv").write_bytes(b"mine")
    later = time.time_ns() + 10**9
    os.utime(staging / "done.json", ns=(later, later))
    with pytest.raises(DataError, match=r"4.csv is not the 4.csv of .*left as it is"):
        unpack(archive, root)
    (root / "4.csv").write_bytes(b"four")
    unpack(archive, root)
    assert visible(root) == WHOLE


def test_a_killed_process_leaves_what_the_next_run_sweeps(tmp_path, root):
    archive = tarred(tmp_path / "a.tar", *(entry(*item) for item in WHOLE.items()))
    script = (
        "import os, signal, sys; from pathlib import Path; from geo_lm4ve.prepare.archive import unpack\n"
        "from geo_lm4ve.prepare.tar_members import TarMembers\n"
        "real = TarMembers.content\n"
        "def content(self, member):\n"
        "    yield from real(self, member)\n"
        "    member.name == 'train/2.csv' and os.kill(os.getpid(), signal.SIGKILL)\n"
        "TarMembers.content = content\n"
        "unpack(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, archive, root], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [path.name for path in root.glob(".unpacking-*/*")] == ["part"]
    unpack(archive, root)
    assert visible(root) == WHOLE
    assert not list(root.glob(".unpacking-*"))


def test_a_run_killed_behind_its_marker_is_tidied_up(archive, root):
    unpack(archive, root)
    (root / staging_name(archive)).mkdir()
    unpack(archive, root)
    assert not list(root.glob(".unpacking-*"))


def test_files_are_on_the_disk_before_the_marker_is(archive, root, monkeypatch):
    states = []
    monkeypatch.setattr(os, "sync", lambda: states.append(found(root)))
    unpack(archive, root)
    assert states == [WHOLE]


@pytest.mark.skipif(not HANDLES, reason="no locks of folders")
def test_two_runs_beside_each_other(archive, root, monkeypatch):
    refused = []
    for members in (TarMembers, ZipMembers):

        def content(self, member, real=members.content):
            if not refused:
                refused.append(member.name)
                with pytest.raises(DataError, match=r"another process unpacks .*wait until it is done"):
                    unpack(archive, root)
            yield from real(self, member)

        monkeypatch.setattr(members, "content", content)
    unpack(archive, root)
    assert refused
    assert visible(root) == WHOLE


def test_a_resumed_run_needs_room_for_what_is_missing(archive, root, monkeypatch):
    (root / "train").mkdir(parents=True)
    (root / "train" / "2.csv").write_bytes(WHOLE["train/2.csv"])
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=7))
    unpack(archive, root)
    assert visible(root) == WHOLE
