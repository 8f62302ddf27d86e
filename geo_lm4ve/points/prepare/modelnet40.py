"""ModelNet40: its HDF5 release, downloaded, or made of meshes or clouds that one has."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import checksum
from geo_lm4ve.invocation import command
from geo_lm4ve.notice import say
from geo_lm4ve.points.modelnet_names import MODELNET40
from geo_lm4ve.points.prepare.modelnet import ModelNet
from geo_lm4ve.prepare.archive import unpack_chosen
from geo_lm4ve.prepare.base import preparer
from geo_lm4ve.prepare.download import download
from geo_lm4ve.prepare.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from rich.console import RenderableType


@preparer
class ModelNet40(ModelNet):
    """Downloads the archive (or takes the user's), checks it, and unpacks the clouds; or takes a folder."""

    name = "modelnet40"
    summary = "ModelNet40, HDF5 release: 9,840 + 2,468 clouds, about 435 MB download; --from FOLDER: of meshes"
    title = "ModelNet40"
    classes = MODELNET40
    models = MappingProxyType({"train": 9843, "test": 2468})
    option = "modelnet40"

    @property
    def manifest(self) -> Manifest:
        """Sources and checksums."""
        return read_manifest(self.manifest_file)

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare; ``source`` is ``modelnet40_ply_hdf5_2048.zip``, or a folder."""
        if source is not None and (source.is_dir() or source.suffix == ".dat"):
            return self._from_folder(root, source)
        from geo_lm4ve.points.files import NAMES

        manifest = self.manifest
        archive = self._given(manifest, source) if source else self._download(manifest, root.parent / "raw")
        unpack_chosen(archive, root, r"ply_data_(train|test)\d+\.h5|" + re.escape(NAMES))
        manifest.verify(root)
        return say(f"unpacked into {root}; {archive} is no longer needed")

    def _from_folder(self, root: Path, source: Path) -> None:
        from geo_lm4ve.points.files import split_files

        if source.is_dir() and split_files(source, "train"):
            raise DataError(f"{source} needs no preparation, its clouds are read as they lie: set data.root to it")
        super().prepare(root, source)

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check."""
        from geo_lm4ve.points.modelnet40 import COUNTS
        from geo_lm4ve.points.prepare.build import recipe_of
        from geo_lm4ve.points.prepare.table import point_table

        if recipe_of(root):
            return super().check(root)
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
                f"there is no file {source}: --from takes the archive {manifest.archive}, or a folder of meshes or "
                "clouds; clouds in HDF5 files need no preparation: set data.root to their folder"
            )
        if (found := checksum(source, "md5")) != manifest.md5:
            raise DataError(
                f"{source} has MD5 {found}, {manifest.archive} has {manifest.md5}: it is cut off or another file"
            )
        return source
