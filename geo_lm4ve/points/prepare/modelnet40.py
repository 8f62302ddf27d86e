"""ModelNet40 in its HDF5 release."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import checksum
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.prepare.archive import unpack_chosen
from geo_lm4ve.prepare.base import Preparer, preparer
from geo_lm4ve.prepare.download import download
from geo_lm4ve.prepare.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class ModelNet40(Preparer):
    """Downloads the archive (or takes the user's), checks it, and unpacks the clouds."""

    name = "modelnet40"
    summary = "ModelNet40, HDF5 release: 9,840 + 2,468 clouds, about 435 MB download"

    @property
    def manifest(self) -> Manifest:
        """Sources and checksums."""
        return read_manifest(self.manifest_file)

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is ``modelnet40_ply_hdf5_2048.zip``."""
        from geo_lm4ve.points.files import NAMES

        manifest = self.manifest
        archive = self._given(manifest, source) if source else self._download(manifest, root.parent / "raw")
        unpack_chosen(archive, root, r"ply_data_(train|test)\d+\.h5|" + re.escape(NAMES))
        manifest.verify(root)
        say(f"unpacked into {root}; {archive} is no longer needed")

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check."""
        from geo_lm4ve.points.modelnet40 import COUNTS
        from geo_lm4ve.points.prepare.table import point_table

        self.manifest.verify(root)
        return point_table(root, COUNTS)

    def _download(self, manifest: Manifest, folder: Path) -> Path:
        try:
            return download(manifest.urls, folder / manifest.archive, manifest.md5)
        except DataError as error:
            raise DataError(
                f"{error}\nGet {manifest.archive} (MD5 {manifest.md5}) by another way, e.g. in a browser or from a "
                f"colleague, and run: {command('prepare')} {self.name} --from PATH/{manifest.archive}"
            ) from error

    def _given(self, manifest: Manifest, source: Path) -> Path:
        if not source.is_file():
            raise DataError(
                f"there is no file {source}: --from takes the archive {manifest.archive}. An unpacked folder needs no "
                "preparation: set data.root to it"
            )
        if (found := checksum(source, "md5")) != manifest.md5:
            raise DataError(
                f"{source} has MD5 {found}, {manifest.archive} has {manifest.md5}: it is cut off or another file"
            )
        return source
