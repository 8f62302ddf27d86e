"""Which kind of store a path leads to."""

from __future__ import annotations

from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.images.stores.archive import open_zip
from geo_lm4ve.images.stores.folder import FolderStore
from geo_lm4ve.images.stores.store import Store
from geo_lm4ve.images.stores.tar import open_tar

ARCHIVES = {".zip": open_zip, ".tar": open_tar}
"""How archives are opened, by suffix."""


def open_store(path: Path, advice: str) -> Store:
    """The store at a path.

    Args:
        path: a folder or an archive.
        advice: ends the message where there is nothing; how to get the data.

    Raises:
        DataError: there is nothing, it is no archive that is read in place, or it is damaged.
    """
    if path.is_dir():
        return FolderStore(path)
    if not path.exists():
        raise DataError(f"there is no {path.absolute()}: {advice}")
    if (opener := ARCHIVES.get(path.suffix.lower())) is None:
        raise DataError(
            f"{path} is neither a folder nor an archive that is read in place ({', '.join(ARCHIVES)}); unpack it and "
            "set data.root to the folder"
        )
    return opener(path)
