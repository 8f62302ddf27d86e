"""``datasets/<name>/manifest.toml``: where the files of a data set come from and what they must be."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from geo_lm4ve.files import checksum
from geo_lm4ve.parts.data import DataError


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


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file; DataError when it is missing or lacks a key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        archive = content["archive"]
        return Manifest(path, archive["name"], archive["md5"], tuple(archive["urls"]), content.get("files", {}))
    except FileNotFoundError as error:
        raise DataError(f"there is no {path.absolute()}: run this in the repository's root folder") from error
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise DataError(f"{path} is not a manifest ({error!r}); restore it from the repository") from error
