"""One of the splits that a data set comes with: original files, and the cache that is made of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.cache.build import build_cache
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.shards import CacheManifest, read_cache_manifest

BUILD_AT_ONCE = 5000
"""A split of more scenes is cached by ``tools/prepare.py``, with several processes, not by the way."""

WAIT = 3600.0
"""Seconds that the other processes of a run wait for the first one of their machine to build the cache."""


class OwnSplit:
    """Files and cache of one split.

    Args:
        files: the original files; there may be none, then the cache must do.
        folder: of the cache.
        advice: how to get the files.
        command: how to prepare the cache.
        max_dropped: largest part of the scenes that may be unreadable.

    Attributes:
        manifest: of the cache, or None while it is not built, or not of these files.
    """

    def __init__(self, files: SceneFiles, folder: Path, advice: str, command: str, max_dropped: float):
        self.files, self.folder, self.advice, self.command, self.max_dropped = (
            files,
            folder,
            advice,
            command,
            max_dropped,
        )
        self.manifest = read_cache_manifest(folder)
        if self.manifest is not None and len(files) and self.manifest.key != files.key():
            say(f"{files.folder} has changed since {folder} was made of it")
            self.manifest = None

    def __len__(self) -> int:
        """Number of scenes: those in the cache or, before it is built, the files."""
        return len(self.files) if self.manifest is None else self.manifest.scenes

    def cached(self) -> CacheManifest:
        """The finished cache, built here if the split is small.

        Raises:
            DataError: there are no files, too many to do it by the way, or too many of them cannot be read.
        """
        if self.manifest is None:
            self.manifest = self._build()
        return self.manifest

    def _build(self) -> CacheManifest:
        if not len(self.files):
            raise DataError(f"there are no scenes in {self.files.folder.absolute()}: {self.advice}")
        if len(self.files) > BUILD_AT_ONCE:
            raise DataError(
                f"the {len(self.files):,} scenes in {self.files.folder} are not cached yet: first run {self.command} "
                "(several processes, can be resumed)"
            )
        if int(os.environ.get("LOCAL_RANK", "0")):
            return self._wait()
        return build_cache(self.files, self.folder, 0, self.max_dropped)

    def _wait(self) -> CacheManifest:
        end, key = time.monotonic() + WAIT, self.files.key()
        while time.monotonic() < end:
            manifest = read_cache_manifest(self.folder)
            if manifest is not None and manifest.key == key:
                return manifest
            time.sleep(0.5)
        raise DataError(f"waited {WAIT / 60:.0f} minutes for {self.folder}: first run {self.command}")
