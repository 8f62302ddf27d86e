"""Named options (``configs/<group>/<name>.yaml``) as typed configs, without a command line."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from geo_lm4ve.config import ConfigError, PartConfig, find, is_registered, lookup, make, registered, unknown
from geo_lm4ve.places import CONFIGS
from geo_lm4ve.reading import Fields, reading
from geo_lm4ve.shipped import tables
from geo_lm4ve.yaml_file import read_values


def option_files(group: str) -> list[str]:
    """Names of the shipped option files of a group; imports nothing."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def options(group: str, filter: str = "") -> list[str]:
    """Names of the options of a group: the shipped files, and what plugins register.

    Args:
        group: one of ``GROUPS``.
        filter: a pattern with ``*`` and ``?``, or a piece of the name; "" for all.
    """
    names = {*option_files(group), *(registered(group).keys() - tables()[group].keys())}
    pattern = filter if set("*?[") & set(filter) else f"*{filter}*"
    return sorted(name for name in names if fnmatchcase(name, pattern))


def is_option(group: str, name: str) -> bool:
    """Whether ``name`` is a shipped option file, or registered by a plugin that has been imported."""
    return name in option_files(group) or (is_registered(group, name) and name not in tables()[group])


def list_models(filter: str = "") -> list[str]:
    """Names that ``create_model`` takes, those of plugins too.

    >>> import geo_lm4ve
    >>> geo_lm4ve.list_models("vector*")
    ['vectornet', 'vectornet_small']

    Args:
        filter: a pattern with ``*`` and ``?``, or a piece of the name; "" for all.
    """
    return options("encoder", filter)


def list_blocks(filter: str = "") -> list[str]:
    """Names that ``create_model(..., block=...)`` takes: language models and controls, those of plugins too.

    >>> import geo_lm4ve
    >>> geo_lm4ve.list_blocks("random*")
    ['random_frozen', 'random_trained']

    Args:
        filter: a pattern with ``*`` and ``?``, or a piece of the name; "" for all.
    """
    return options("block", filter)


def list_data(filter: str = "") -> list[str]:
    """Names that ``data=`` takes on the command line, those of plugins too.

    >>> import geo_lm4ve
    >>> geo_lm4ve.list_data("synthetic")[:2]
    ['synthetic_images', 'synthetic_rooms']

    Args:
        filter: a pattern with ``*`` and ``?``, or a piece of the name; "" for all.
    """
    return options("data", filter)


def part_class(group: str, name: str) -> type[PartConfig]:
    """The config class of an option or a registered part, whatever values it leaves to the user; else ConfigError."""
    if name in option_files(group):
        with reading(CONFIGS / group / f"{name}.yaml", ConfigError, f"an option of {group}", "mend it"):
            return lookup(group, _values(group, name)[0])
    if (cls := find(group, name)) is None:
        raise ConfigError(unknown(group, name, {*options(group), *registered(group)}))
    return cls


def _values(group: str, name: str) -> tuple[str, dict[str, Any]]:
    """(registered name, values) of an option file; ``defaults`` may name a schema or another option of the group.

    What Hydra composes, without Hydra: it takes 75 ms for an option, fifteen times as long, and refuses to start inside
    a program that it already runs.
    """
    content = read_values(CONFIGS / group / f"{name}.yaml")
    parents = Fields(content).texts("defaults") if "defaults" in content else []
    content.pop("defaults", None)
    if "_self_" in parents[:-1]:
        raise ConfigError(f"configs/{group}/{name}.yaml: _self_ must stand last in defaults; own values go over others")
    schema, values = "", dict[str, Any]()
    for parent in parents:
        if parent.startswith("/schema/"):
            schema = parent.rsplit("/", 1)[1]
        elif parent != "_self_":
            schema, inherited = _parent(group, parent)
            values = _merged(values, inherited)
    return schema, _merged(values, content)


def _parent(group: str, name: str) -> tuple[str, dict[str, Any]]:
    """``_values`` of an option that another one names in its ``defaults``."""
    if name in option_files(group):
        return _values(group, name)
    if find(group, name) is None:
        raise ConfigError(unknown(f"option in defaults, of {group}", name, options(group)))
    return name, {}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two layers of values as Hydra merges them: mappings key by key, anything else (lists too) replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        deeper = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if deeper else value
    return merged


def load_option(group: str, name: str, overrides: Mapping[str, Any] | None = None) -> PartConfig:
    """The typed config of ``group=name`` (an option file, or a registered name without one) with ``overrides``.

    An override of a nested part may name some of its keys; the others keep what the option says, as in Hydra.

    Raises:
        ConfigError: unknown option or key, or a value of the wrong type.
    """
    if name in option_files(group):
        with reading(path := CONFIGS / group / f"{name}.yaml", ConfigError, f"an option of {group}", "mend it"):
            try:
                schema, values = _values(group, name)
                return make(group, schema, _merged(values, overrides or {}))
            except ConfigError as error:
                error.add_note(f"the option is {path}")
                raise
    part_class(group, name)
    return make(group, name, overrides)
