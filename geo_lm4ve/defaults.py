"""What an experiment names, followed through its lists of ``defaults`` without Hydra.

The parts so named are imported before it composes: Hydra finds schemas in its ConfigStore only. What is not found here
(a name made of others, a list that is none) is left to Hydra, which reads the same files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from geo_lm4ve.config import GROUPS, find
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.shipped import load, load_parts
from geo_lm4ve.yaml_file import read_values

_SCHEMA = "schema/"
_NAMES = re.compile(r"[\w.-]+(,[\w.-]+)*")
"""One option, or several of a sweep."""


def load_named(path: Path, overrides: Sequence[str] = ()) -> None:
    """Import the parts that an experiment file and overrides name; a part without an option file becomes an option.

    Args:
        path: of the experiment; options beside it go over the shipped ones.
        overrides: as on the command line, sweeps (``block=identity,mlp``) too.

    Raises:
        ConfigError: a file cannot be read; the message names it.
        UserError: a plugin cannot be imported.
    """
    chosen = dict(_chosen(overrides))
    named = [entry for entry in _entries(path, "") if entry[0] not in chosen]
    named += [(group, name) for group, names in chosen.items() for name in names]
    seen = set()
    while named:
        group, name = named.pop()
        if (group, name) not in seen:
            seen.add((group, name))
            named += _follow(group, name, (path.parent, CONFIGS))


def _chosen(overrides: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Group and names of the overrides that pick options."""
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        group = key.partition("@")[0].strip("/")
        if group.removeprefix(_SCHEMA) in GROUPS and value:
            if not _NAMES.fullmatch(value):  # glob(*), choice(a, b), quotes: Hydra's grammar
                load_parts()
            yield group, value.split(",")


def _follow(group: str, name: str, folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Import a part, or find the entries of the file that an option is."""
    if group.startswith(_SCHEMA):
        load(group.removeprefix(_SCHEMA), name)
        return []
    store = ConfigStore.instance()
    for folder in folders:
        if (file := folder / group / f"{name}.yaml").is_file():
            store.repo.get(group, {}).pop(file.name, None)  # of another experiment: Hydra takes one or the other
            return _entries(file, group)
    if group in GROUPS and (cls := find(group, name)):
        store.store(group=group, name=name, node=cls, package=group, provider=cls.__module__)
    return []


def _entries(file: Path, group: str) -> list[tuple[str, str]]:
    """(group, name) of what a file's ``defaults`` name."""
    defaults = read_values(file).get("defaults")
    entries = defaults if isinstance(defaults, list) else []
    return [found for entry in entries for found in _entry(entry, group) if found[1] != "_self_"]


def _entry(entry: Any, group: str) -> Iterator[tuple[str, str]]:
    """(group, name) of one entry: ``group: name``, ``override /group@package: [name, …]``, ``/schema/group/name``."""
    for key, names in entry.items() if isinstance(entry, Mapping) else [("", entry)]:
        for name in names if isinstance(names, list) else [names]:
            if isinstance(key, str) and isinstance(name, str):
                place = "/".join(one.partition("@")[0].removesuffix(".yaml") for one in (*key.split()[-1:], name))
                above, _, last = (place if place.startswith("/") else f"{group}/{place}").rpartition("/")
                yield above.strip("/"), last
