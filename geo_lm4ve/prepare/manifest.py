"""``datasets/<name>/manifest.toml``: where the files of a data set come from and what they must be."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import checksum
from geo_lm4ve.reading import Fields, reader

_MD5 = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Manifest:
    """An archive that is downloaded and the files that come out of it.

    Attributes:
        path: the manifest itself.
        archive: file name of the archive.
        md5: its checksum.
        urls: where it can be had, in the order in which they are tried.
        files: file name -> MD5 of every file that is checked.
    """

    path: Path
    archive: str
    md5: str
    urls: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)

    def verify(self, root: Path) -> None:
        """DataError unless all files are in ``root`` with the checksums of the manifest."""
        for name, expected in self.files.items():
            path = root / name
            if not path.is_file():
                raise DataError(f"{path} is missing; prepare the data again")
            if (found := checksum(path, "md5")) != expected:
                raise DataError(f"{path} has MD5 {found}, {self.path} says {expected}; delete it and prepare again")


@reader(DataError, "a manifest", "run this in the repository's root folder, or restore it from the repository")
def read_manifest(path: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        DataError: it is missing, lacks a key, or names a file outside of the data's folder.
    """
    content = Fields(tomllib.loads(path.read_text(encoding="utf-8")))
    archive = content.fields("archive")
    files = content.fields("files") if "files" in content.values else Fields({})
    urls = tuple(archive.texts("urls"))
    if odd := [url for url in urls if not url.startswith(("https://", "http://"))]:
        raise ValueError(f"archive.urls has {odd[0]!r:.80}, which is no address in the web")
    md5 = {_plain(name): _md5(files, name) for name in files.values}
    return Manifest(path, _plain(archive.text("name")), _md5(archive, "md5"), urls, md5)


def _plain(name: str) -> str:
    """The name of a file that lies in a folder itself."""
    if not name.isprintable() or name in ("", ".", "..") or "/" in name or "\\" in name:
        raise ValueError(f"{name!r:.80} is not a plain file name")
    return name


def _md5(fields: Fields, key: str) -> str:
    if not _MD5.fullmatch(text := fields.text(key)):
        raise ValueError(f"{fields.prefix}{key} is {text!r:.80}, not an MD5 of 32 digits")
    return text
