"""Argoverse 1 and 2: fetch and unpack the original files on request, and make the scene cache of every split."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from geo_lm4ve.config import make
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.notice import progress
from geo_lm4ve.prepare.archive import unpack
from geo_lm4ve.prepare.base import DATASETS, Preparer, preparer
from geo_lm4ve.prepare.download import download
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.words import marked

if TYPE_CHECKING:
    from rich.console import RenderableType

    from geo_lm4ve.traffic.cache.shards import CacheManifest, Shards
    from geo_lm4ve.traffic.source import SceneConfig

SPLITS = ("train", "val", "test")


class ScenePreparer(Preparer):
    """Makes scene caches of the data set that is registered under its own name."""

    large = True

    @property
    def root(self) -> Path:
        """Where the original files are."""
        return DATASETS / self.name / "raw"

    def prepare(self, root: Path, source: Path | None) -> None:
        """See Preparer.prepare.

        Args:
            root: folder of the original files; the cache goes into ``root/scene_cache``.
            source: an archive, or a folder with archives, to unpack into ``root`` first.
        """
        from geo_lm4ve.traffic.cache.build import build_cache

        if self.download:
            for name, url in self._archives():
                unpack(download([url], root.parent / "archives" / name, None), root)
        elif source:
            for archive in self._given(source):
                unpack(archive, root)
        config = self._config(root)
        found = [(split, files) for split in SPLITS if len(files := config.files(split))]
        if not found:
            raise DataError(
                f"there are no scenes of {config.title} in {root.absolute()}. Set --root to the folder that holds "
                "them, unpack archives that you have by --from FOLDER, or fetch them by --download; "
                f"{self.manifest_file} lists them and README.md beside it has licence and layout"
            )
        for split, files in found:
            build_cache(files, config.cache_folder() / split, self.workers, config.max_dropped)

    def check(self, root: Path) -> RenderableType:
        """See Preparer.check: every shard is read and compared with its checksum."""
        from rich.console import Group
        from rich.table import Table

        from geo_lm4ve.traffic.cache.shards import Shards

        config = self._config(root)
        title = marked((root, "table.title"))
        table = Table("split", "scenes", "official", "dropped", "agents", "lanes", "kB a scene", title=title)
        remarks = []
        for split, folder, manifest in self._caches(config):
            agents, lanes = _count(Shards(folder, manifest, config.layout.steps), split)
            remarks += [f"{split}: {count:,} {fact}" for fact, count in manifest.facts().items() if count]
            official = config.official.get(split)
            table.add_row(
                split, f"{manifest.scenes:,}", f"{official:,}" if official else "", f"{len(manifest.dropped):,}",
                f"{agents:.1f}", f"{lanes:.1f}", f"{manifest.bytes_per_scene / 1000:.1f}",
            )  # fmt: skip
        if not table.row_count:
            raise DataError(f"there is no scene cache in {config.cache_folder()}: prepare it without --check")
        return Group(table, *map(marked, remarks))

    def _config(self, root: Path) -> SceneConfig:
        return cast("SceneConfig", make("data", self.name, {"root": str(root)}))

    def _caches(self, config: SceneConfig) -> Iterator[tuple[str, Path, CacheManifest]]:
        from geo_lm4ve.traffic.cache.shards import read_cache_manifest

        for split in SPLITS:
            folder = config.cache_folder() / split
            if (manifest := read_cache_manifest(folder)) is not None:
                yield split, folder, manifest

    def _archives(self) -> list[tuple[str, str]]:
        """(name, URL) of every archive in the manifest."""
        return read_archives(self.manifest_file)

    def _given(self, source: Path) -> list[Path]:
        if source.is_file():
            return [source]
        found = [source / name for name, _ in self._archives() if (source / name).is_file()]
        if not found:
            raise DataError(f"none of the archives of {self.manifest_file} is in {source}")
        return found


@preparer
class Argoverse1(ScenePreparer):
    """Argoverse 1 motion forecasting v1.1."""

    name = "argoverse1"
    summary = "Argoverse 1 motion forecasting: scene cache of csv and XML files, 14 kB a scene; --download fetches them"


@preparer
class Argoverse2(ScenePreparer):
    """Argoverse 2 motion forecasting."""

    name = "argoverse2"
    summary = (
        "Argoverse 2 motion forecasting: scene cache of parquet and json files, 27 kB a scene; --download: them too"
    )


@reader(DataError, "a manifest of archives", "restore it from the repository")
def read_archives(path: Path) -> list[tuple[str, str]]:
    """(name, URL) of every archive in a ``manifest.toml``; DataError for anything else."""
    archives = tomllib.loads(path.read_text(encoding="utf-8"))["archives"]
    found = []
    for place, archive in enumerate(archives):
        values = Fields(archive, f"archives.{place}.")
        name = values.text("name")
        if not re.fullmatch(r"[\w-][\w.-]*", name):
            raise ValueError(f"{name!r:.60} is no name of a file")
        found.append((name, values.text("url")))
    return found


def _count(shards: Shards, split: str) -> tuple[float, float]:
    """Mean agents and lanes of a scene."""
    agents = lanes = 0
    for number in progress(range(len(shards.sizes)), f"reading {split}"):
        pack = shards.pack(number)
        agents += len(pack.heading)
        lanes += len(pack.lane_view)
    scenes = max(sum(shards.sizes), 1)
    return agents / scenes, lanes / scenes
