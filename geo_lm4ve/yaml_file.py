"""YAML files of experiments, options and runs: read within bounds, as plain values."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf

from geo_lm4ve.config import ConfigError
from geo_lm4ve.reading import reader

_BYTES = 1 << 20
"""An experiment takes a few kilobytes."""
_VALUES = 100_000
"""Values, those counted again that an alias repeats: nine lines of aliases can stand for a billion."""


@reader(ConfigError, "a YAML file of settings", "mend it")
def read_yaml(path: Path) -> DictConfig:
    """The mapping in a file, interpolations unresolved; an empty file is an empty mapping."""
    with path.open("rb") as file:
        content = file.read(_BYTES + 1)
    if len(content) > _BYTES:
        raise ValueError(f"it has more than {_BYTES:,} bytes")
    text = content.decode()
    _check_size(yaml.compose(text, Loader=yaml.SafeLoader))
    config = OmegaConf.load(io.StringIO(text))
    if not isinstance(config, DictConfig):
        raise ValueError("it holds a list, not a mapping")
    if odd := next((key for key in config if not isinstance(key, str)), None):
        raise ValueError(f"the key {odd!r} is not a text")
    return config


def read_values(path: Path) -> dict[str, Any]:
    """The same as plain dictionaries and lists."""
    return cast("dict[str, Any]", OmegaConf.to_container(read_yaml(path)))


def _check_size(root: yaml.Node | None) -> None:
    """ValueError for aliases that repeat too much, or a node that holds itself."""
    sizes: dict[int, int | None] = {}

    def size(node: yaml.Node | None) -> int:
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if id(node) not in sizes:
            sizes[id(node)] = None
            members = [one for entry in node.value for one in (entry if isinstance(entry, tuple) else (entry,))]
            sizes[id(node)] = 1 + sum(map(size, members))
        known = sizes[id(node)]
        if known is None:
            raise ValueError("a value holds itself, by an alias")
        if known > _VALUES:
            raise ValueError(f"its aliases stand for more than {_VALUES:,} values")
        return known

    size(root)
