"""Layers of a hub repository: out of the cache if they are whole there, else fetched, kept and read back."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.blocks.base import BlockError, LayerWeights
from geo_lm4ve.blocks.extracted import ExtractedCheckpoint, write_layers
from geo_lm4ve.blocks.sources.cache import LayerCache, layer_cache
from geo_lm4ve.blocks.sources.checkpoint import BytesRead
from geo_lm4ve.blocks.sources.directory import INDEX, SINGLE, DirectoryCheckpoint
from geo_lm4ve.blocks.sources.hub import HubCheckpoint
from geo_lm4ve.blocks.sources.hub_repository import HubRepository
from geo_lm4ve.blocks.sources.layout import depth, layers_config
from geo_lm4ve.blocks.sources.selection import select_layers, wanted_layout

_REVISION = re.compile(r"^(?!.*\.\.)[\w.\-/]+$")
_LOG = logging.getLogger(__name__)


def hub_layers(
    place: str, layers: Sequence[int], final_norm: bool, cache_dir: Path | None, meter: BytesRead
) -> LayerWeights:
    """Layers of ``REPO[@REVISION]`` (default revision: main), with a reference that names the commit.

    The final norm is kept along with the layers, so that asking for it later costs nothing.

    Raises:
        BlockError: no access, no such repository, revision or layer, no network, or no space to keep the layers.
    """
    from huggingface_hub.utils import WeakFileLock

    repository = _repository(place)
    cache = layer_cache(cache_dir, repository.repo)
    _create(cache.folder)
    with WeakFileLock(cache.folder / ".lock"):  # of many processes that start together, one fetches
        weights = _kept(cache, repository, layers, meter) or _downloaded_before(repository, layers, meter)
        if weights is None:
            path = _fetched(cache, repository, layers, meter)
            weights = _read(path, repository, repository.commit, layers)
    if final_norm and not weights.final_norm:
        raise BlockError(f"{repository.place} holds no final norm; ask without it (final_norm=False)")
    return LayerWeights(weights.config, weights.layers, weights.final_norm if final_norm else {}, weights.reference)


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlockError(f"cannot keep layers in {folder} ({error}); set GEO_LM4VE_CACHE to another folder") from error


def _repository(place: str) -> HubRepository:
    repo, at, revision = place.partition("@")
    if at and not _REVISION.match(revision):
        raise BlockError(f"hub:{place}: {revision!r} is not the name of a branch, tag or commit")
    return HubRepository(repo, revision or "main")


def _kept(cache: LayerCache, repository: HubRepository, layers: Sequence[int], meter: BytesRead) -> LayerWeights | None:
    """Layers out of our cache; a damaged file is named, removed and counts as absent."""
    commit = cache.commit(repository.revision)
    if (path := cache.find(commit, layers)) is None:
        return None
    try:
        weights = _read(path, repository, commit, layers)
    except BlockError as error:
        _LOG.warning("%s. It is removed from the cache and fetched again", error)
        path.unlink()
        return None
    meter.read += path.stat().st_size
    return weights


def _read(path: Path, repository: HubRepository, commit: str, layers: Sequence[int]) -> LayerWeights:
    checkpoint = ExtractedCheckpoint(path)
    weights = select_layers(checkpoint, f"hub:{repository.repo}@{commit}", layers, final_norm=None)
    checkpoint.verify(weights)
    return weights


def _downloaded_before(repository: HubRepository, layers: Sequence[int], meter: BytesRead) -> LayerWeights | None:
    """Layers out of huggingface_hub's own cache, when the model (or enough of it) has been downloaded there."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(repository.repo, "config.json", revision=repository.revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    if not any((folder / name).is_file() for name in SINGLE + INDEX):
        return None
    checkpoint = DirectoryCheckpoint(folder)
    if checkpoint.absent_shards(wanted_layout(checkpoint, layers, None).names):
        return None
    weights = select_layers(checkpoint, f"hub:{repository.repo}@{folder.name}", layers, final_norm=None)
    meter.read += checkpoint.bytes_read
    return weights


def _fetched(cache: LayerCache, repository: HubRepository, layers: Sequence[int], meter: BytesRead) -> Path:
    """Fetch layers by byte ranges and keep them; the path of the kept file."""
    checkpoint = HubCheckpoint(repository)
    layout = wanted_layout(checkpoint, layers, None)
    total = sum(span.size for span in checkpoint.spans(layout.names).values())
    _require_space(cache.folder, total)
    _LOG.info("fetching layers %s of %s: %.1f MB", list(layout.layers), repository.place, total / 1e6)
    weights = select_layers(checkpoint, f"hub:{repository.repo}@{repository.commit}", layers, final_norm=None)
    meter.downloaded += checkpoint.bytes_read
    count = depth(layers_config(checkpoint.config), checkpoint.place)
    path = cache.path(repository.commit, weights.reference.layers, count)
    write_layers(path, weights)
    cache.remember(repository.revision, repository.commit)
    return path


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed * 1.05:
        raise BlockError(
            f"{folder} has {free / 1e6:.0f} MB free, the layers need {needed / 1e6:.0f} MB; free some, or set "
            "GEO_LM4VE_CACHE to a folder on another disk"
        )
