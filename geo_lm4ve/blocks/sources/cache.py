"""Where layers fetched from the hub are kept: one file each.

``<cache>/blocks/<owner>--<name>/<commit>/layers-31-of-32.safetensors``, and ``refs/<revision>`` with the commit that a
branch stood for when it was first fetched. A branch is therefore resolved once; give ``@COMMIT``, or remove its ref,
for another state of the repository.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.blocks.sources.layout import indices
from geo_lm4ve.cache import cache_folder
from geo_lm4ve.files import write_text
from geo_lm4ve.words import component

_LOG = logging.getLogger(__name__)
_COMMIT = re.compile(r"[A-Za-z0-9][\w.\-]*")
_NAME = re.compile(r"^layers-(\d+)(?:-(\d+))?-of-(\d+)\.safetensors$")


def layer_cache(cache_dir: Path | None, repo: str) -> LayerCache:
    """The cache of a repository's layers: in the given folder, else in ``blocks`` of the user's cache.

    Layers used to lie in $GEO_LM4VE_CACHE itself, and XDG_CACHE_HOME was not heeded. A repository that is at hand in
    such a place stays there: nothing is fetched a second time because the rule has changed.
    """
    cache = LayerCache(cache_dir or cache_folder("blocks"), repo)
    before = LayerCache(Path(os.environ.get("GEO_LM4VE_CACHE") or "~/.cache/geo_lm4ve/blocks").expanduser(), repo)
    return before if cache_dir is None and before.folder.is_dir() and not cache.folder.is_dir() else cache


class LayerCache:
    """The cached layers of one repository."""

    def __init__(self, root: Path, repo: str) -> None:
        """Nothing is created before something is kept."""
        self.folder = root / _component(repo)

    def commit(self, revision: str) -> str:
        """The commit that a revision stood for when it was fetched; the revision itself if it never was."""
        ref = self._ref(revision)
        if not ref.is_file():
            return revision
        commit = ref.read_text(encoding="utf-8", errors="replace").strip()
        if _COMMIT.fullmatch(commit):
            return commit
        _LOG.warning("%s holds no commit: it is damaged, and %s is looked up again", ref, revision)
        return revision

    def remember(self, revision: str, commit: str) -> None:
        """Keep the commit of a branch or tag."""
        if revision != commit:
            write_text(self._ref(revision), commit + "\n")

    def _ref(self, revision: str) -> Path:
        return self.folder / "refs" / _component(revision)

    def find(self, commit: str, layers: Sequence[int]) -> Path | None:
        """A kept file that holds these layers (negative ones count from the end); BlockError when out of range."""
        for path in sorted((self.folder / _component(commit)).glob("layers-*.safetensors")):
            if match := _NAME.match(path.name):
                first, count = int(match[1]), int(match[3])
                wanted = indices(layers, count, str(path))
                if first <= wanted[0] and wanted[-1] <= int(match[2] or first):
                    return path
        return None

    def path(self, commit: str, layers: Sequence[int], count: int) -> Path:
        """Where these layers (indices from 0) of ``count`` are to be kept."""
        span = f"{layers[0]}" if len(layers) == 1 else f"{layers[0]}-{layers[-1]}"
        return self.folder / _component(commit) / f"layers-{span}-of-{count}.safetensors"


def _component(name: str) -> str:
    return component(name.replace("/", "--"))
