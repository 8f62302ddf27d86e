"""Zip and tar archives, and the note that says how far one is unpacked."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from mutate import BYTES
from mutate_packed import ZIP
from mutate_text import JSON
from mutate_unpacked import TAR, TAR_GZ, ZIP_NAMES
from seed import Seed

from geo_lm4ve.prepare.archive import unpack, unpack_chosen
from geo_lm4ve.prepare.staging import NOTE, staging_name

FILES = {"set/train/a.csv": b"1,2\n" * 300, "set/train/b.csv": b"", "set/names.txt": b"ball\ndisc\n"}


def _zip(folder: Path) -> Path:
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in FILES.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return path


def _tar(mode: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"set.{'tar.gz' if mode.endswith('gz') else 'tar'}"
        with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as file:
            file.add(folder, "set", recursive=False)
            for name, content in FILES.items():
                member = tarfile.TarInfo(name)
                member.size, member.pax_headers = len(content), {"comment": "x" * 40}
                file.addfile(member, io.BytesIO(content))
        return path

    return write


def _unpack(path: Path) -> None:
    root = path.parent / "unpacked"
    shutil.rmtree(root, ignore_errors=True)
    unpack(path, root)
    assert any(one.is_file() for one in root.rglob("*")), "nothing was unpacked, without a word"


def _choose(path: Path) -> None:
    root = path.parent / "unpacked"
    shutil.rmtree(root, ignore_errors=True)
    assert unpack_chosen(path, root, r".*\.csv"), "nothing was unpacked, without a word"


def _note(folder: Path) -> Path:
    """The note of an unpacking that was broken off, which lies elsewhere until it is read."""
    state = _tar("w")(folder).stat()
    note = {"archive": [state.st_size, state.st_mtime_ns], "done": 1024, "position": 1024}
    (folder / NOTE).write_text(json.dumps(note))
    return folder / NOTE


def _go_on(path: Path) -> None:
    """Whatever the note says, all files are there in the end, as they are in the archive."""
    archive, root = path.parent / "set.tar", path.parent / "unpacked"
    shutil.rmtree(root, ignore_errors=True)
    (root / staging_name(archive)).mkdir(parents=True)
    shutil.copy(path, root / staging_name(archive) / NOTE)
    unpack(archive, root)
    assert {name: (root / name).read_bytes() for name in FILES} == FILES


_UNPACK, _CHOOSE = (f"geo_lm4ve.prepare.archive.{name}" for name in ("unpack", "unpack_chosen"))
SEEDS = (
    Seed("zip", (_UNPACK,), _zip, _unpack, (*ZIP, *ZIP_NAMES)),
    Seed("chosen of zip", (_CHOOSE,), _zip, _choose, (*ZIP, *ZIP_NAMES)),
    Seed("tar", (_UNPACK,), _tar("w"), _unpack, (*TAR, *BYTES)),
    Seed("tar gz", (_UNPACK,), _tar("w:gz"), _unpack, (*TAR_GZ, *BYTES)),
    Seed("note on unpacking", ("geo_lm4ve.prepare.staging._noted",), _note, _go_on, JSON, forgiving=True),
)
