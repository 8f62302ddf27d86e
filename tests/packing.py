"""Archives built in memory, decent and hostile, and what is in a folder."""

import io
import tarfile
import zipfile

from geo_lm4ve.prepare.tar_members import TarMembers
from geo_lm4ve.prepare.zip_members import ZipMembers

WHOLE = {"train/1.csv": b"one", "train/2.csv": b"two" * 1000, "train/deep/3.csv": b"", "4.csv": b"four"}


def entry(name, content=b"", **fields):
    """One tar member; ``fields`` are attributes of its header."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tarred(path, *entries, mode="w", **options):
    with tarfile.open(path, mode, **options) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content) if content else None)
    return path


def zipped(path, *members, packed=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def found(root):
    """Path below ``root`` -> content, of every file and link, temporary ones and markers too."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def visible(root):
    """The same without our markers."""
    return {name: content for name, content in found(root).items() if not name.startswith(".unpack")}


class Killed(BaseException):
    pass


def killed_at(monkeypatch, count):
    """The next run ends in the middle of file ``count``, as by Ctrl-C."""
    calls = []
    for members in (TarMembers, ZipMembers):

        def content(self, member, real=members.content):
            calls.append(member.name)
            if len(calls) > count:
                yield b"ha"
                raise Killed
            yield from real(self, member)

        monkeypatch.setattr(members, "content", content)
