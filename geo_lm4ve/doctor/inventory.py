"""Which named blocks and data sets are at hand, and the command that gets the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_lm4ve.files import UserError
from geo_lm4ve.invocation import command

HUB_ADVICE = (
    "Layers from the hub are fetched at first use and kept in $GEO_LM4VE_CACHE/blocks (~/.cache/geo_lm4ve/blocks). "
    f"Ahead of it: {command('extract-block')} SOURCE --layers N --out FILE, then block.source=file:FILE"
)


@dataclass(frozen=True)
class Item:
    """A shipped option and its files.

    Attributes:
        name: of the option (``block=NAME``, ``data=NAME``).
        source: where the files come from or lie.
        at_hand: True if it can be used now without network.
        note: what is there, or the command that gets it.
    """

    name: str
    source: str
    at_hand: bool
    note: str


def blocks() -> list[Item]:
    """All options of the block group, those at hand first."""
    return _items("block", _block)


def data() -> list[Item]:
    """All options of the data group, those at hand first."""
    return _items("data", data_item)


def _items(group: str, look: Callable[[str, Any], Item]) -> list[Item]:
    from geo_lm4ve.files import UserError
    from geo_lm4ve.options import load_option, options

    items = []
    for name in options(group):
        try:
            items.append(look(name, load_option(group, name)))
        except UserError as error:  # an option may leave to the user what nobody else can know; files may be damaged
            items.append(Item(name, "–", False, str(error)))
    return sorted(items, key=lambda item: not item.at_hand)


def _block(name: str, config: Any) -> Item:
    source = getattr(config, "source", None)
    if source is None:
        return Item(name, "–", True, "needs no files")
    at_hand, note = weights_at_hand(source, config.layers)
    return Item(name, source, at_hand, note)


def weights_at_hand(source: str, layers: Sequence[int]) -> tuple[bool, str]:
    """Whether these layers of a block's source are there without a fetch, and where, or what is missing."""
    kind, _, place = source.partition(":")
    look = {"package": _package, "hub": _hub, "random": _random}.get(kind, _path)
    return look(place, layers)


def _package(place: str, _layers: Sequence[int]) -> tuple[bool, str]:
    from geo_lm4ve.blocks.base import BlockError
    from geo_lm4ve.blocks.sources.package import carried_file

    try:
        path = carried_file(place)
    except BlockError as error:
        return False, str(error)
    return True, f"{path.name}, {path.stat().st_size / 1e6:.0f} MB"


def _hub(place: str, layers: Sequence[int]) -> tuple[bool, str]:
    from geo_lm4ve.blocks.sources.cache import layer_cache

    repo, _, revision = place.partition("@")
    cache = layer_cache(None, repo)
    kept = cache.find(cache.commit(revision or "main"), layers)
    if kept is not None:
        return True, f"{kept}, {kept.stat().st_size / 1e6:.0f} MB"
    if folder := _downloaded(repo, revision or "main", layers):
        return True, f"{folder} (huggingface_hub's cache)"
    return False, "fetched at first use"


def _downloaded(repo: str, revision: str, layers: Sequence[int]) -> Path | None:
    """The model's folder in huggingface_hub's own cache, if the files that hold these layers are there."""
    from huggingface_hub import try_to_load_from_cache

    from geo_lm4ve.blocks.base import BlockError
    from geo_lm4ve.blocks.sources.directory import DirectoryCheckpoint
    from geo_lm4ve.blocks.sources.selection import wanted_layout

    config = try_to_load_from_cache(repo, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    try:
        checkpoint = DirectoryCheckpoint(folder)
        absent = checkpoint.absent_shards(wanted_layout(checkpoint, layers, None).names)
    except BlockError:  # only the config has been downloaded
        return None
    return None if absent else folder


def _random(_place: str, _layers: Sequence[int]) -> tuple[bool, str]:
    return True, "drawn when it is built"


def _path(place: str, _layers: Sequence[int]) -> tuple[bool, str]:
    path = Path(place).expanduser()
    return path.exists(), "present" if path.exists() else f"{path.absolute()} does not exist"


def data_item(name: str, config: Any) -> Item:
    """A data option: how many samples are where it looks, or the way to get them."""
    root = getattr(config, "root", None)
    if root is None:
        return Item(name, "–", True, "needs no files")
    folder = Path(root).expanduser()
    if not folder.is_dir() or not any(folder.iterdir()):
        if hasattr(config, "prepare"):
            return Item(name, str(root), True, "generated at first use")
        return Item(name, str(root), False, _way_to(name, config))
    try:
        counts = config.stored(folder)
    except UserError as error:
        return Item(name, str(root), False, str(error))
    shown = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    return Item(name, str(root), True, shown or "present, number of samples not recorded")


def _way_to(name: str, config: Any) -> str:
    """How to get a data set that is not there."""
    from geo_lm4ve.prepare.base import preparers

    for known in (name, config.name):
        if known in preparers():
            return f"{command('prepare')} {known}, or set data.root"
    return getattr(config, "advice", "set data.root")
