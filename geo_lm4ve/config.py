"""The bridge between Hydra and typed dataclasses: ``@register`` and the base class of every part's configuration.

A part's config dataclass stands above the class it builds, in the same file, and is registered under a group and a
name. Registration fills Hydra's ConfigStore (so that ``encoder=point_bert`` composes and is type-checked) and our own
table (so that a saved ``name:`` finds its dataclass again without importing anything a stranger's file asks for).
"""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from geo_lm4ve.files import UserError
from geo_lm4ve.shipped import GROUPS, load, load_all, load_shipped
from geo_lm4ve.words import unknown

__all__ = ["GROUPS", "ConfigError", "PartConfig", "find", "is_registered", "lookup", "make", "plain", "register"]
__all__ += ["registered", "unknown"]

_REGISTRY: dict[str, dict[str, type[PartConfig]]] = {group: {} for group in GROUPS}

Config = TypeVar("Config", bound="type[PartConfig]")


class ConfigError(UserError, ValueError):
    """A configuration that cannot be meant: the message states rule, value, place and the next step."""


@dataclass
class PartConfig:
    """Base of every registered config; ``name`` is the key under which it was registered."""

    name: str = MISSING


def register(group: str, name: str) -> Callable[[Config], Config]:
    """Class decorator: make the config dataclass available as ``group=name``.

    Raises:
        ConfigError: the group does not exist, the name is taken, or the class's ``name`` default differs.
    """

    def add(cls: Config) -> Config:
        if group not in _REGISTRY:
            raise ConfigError(f"cannot register {name!r}: no group {group!r}; groups: {', '.join(GROUPS)}")
        load_shipped(group, name)
        if name in _REGISTRY[group]:
            raise ConfigError(f"{group}/{name} is already registered by {_REGISTRY[group][name].__qualname__}")
        if cls.name != name:
            raise ConfigError(f"{cls.__qualname__}.name is {cls.name!r}, but it is registered as {group}/{name}")
        _REGISTRY[group][name] = cls
        ConfigStore.instance().store(
            group=f"schema/{group}", name=name, node=cls, package=group, provider=cls.__module__
        )
        return cls

    return add


def registered(group: str) -> dict[str, type[PartConfig]]:
    """The configs of one group by name, sorted: shipped ones and those of plugins."""
    load_all(group)
    return dict(sorted(_REGISTRY[group].items()))


def find(group: str, name: str) -> type[PartConfig] | None:
    """The config class registered as ``group=name``, by this package or a plugin; None if there is none."""
    if name not in _REGISTRY[group]:
        load(group, name)
    return _REGISTRY[group].get(name)


def is_registered(group: str, name: str) -> bool:
    """Whether ``group=name`` is registered by what has been imported so far."""
    return name in _REGISTRY[group]


def lookup(group: str, name: str) -> type[PartConfig]:
    """The config class registered as ``group=name``; a ConfigError lists the choices."""
    if (cls := find(group, name)) is None:
        raise ConfigError(unknown(group, name, registered(group)))
    return cls


def make(group: str, name: str, values: Mapping[str, Any] | None = None) -> PartConfig:
    """A typed, checked config of ``group=name`` with ``values`` over its defaults.

    Raises:
        ConfigError: unknown name or key, or a value of the wrong type; the message names the key.
    """
    cls = lookup(group, name)
    values = dict(values or {})
    fields = [field.name for field in dataclasses.fields(cls)]
    for key in values:
        if key not in fields:
            raise ConfigError(f"{group}={name}: " + unknown("key", key, fields))
    try:
        merged = OmegaConf.merge(OmegaConf.structured(cls), values)
        if missing := sorted(OmegaConf.missing_keys(merged)):
            raise ConfigError(f"{group}={name} leaves these unset: {', '.join(missing)}")
        return typing.cast(PartConfig, OmegaConf.to_object(merged))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{group}={name}: {str(error).strip()}") from error


def plain(config: Any) -> Any:
    """A config as plain dicts, lists and scalars (enums by their value), for YAML and JSON."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {field.name: plain(getattr(config, field.name)) for field in dataclasses.fields(config)}
    if isinstance(config, Mapping):
        return {key: plain(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [plain(value) for value in config]
    return config.name if isinstance(config, enum.Enum) else config
