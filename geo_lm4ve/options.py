"""Named options (``configs/<group>/<name>.yaml``) as typed configs, without a command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from geo_lm4ve.config import ConfigError, PartConfig, make, registered, unknown

_HERE = Path(__file__).resolve().parent
CONFIGS = _HERE / "configs" if (_HERE / "configs").is_dir() else _HERE.parent / "configs"
"""The shipped configurations: inside an installed wheel, else beside the package in the repository."""


def options(group: str) -> list[str]:
    """Names of the shipped options of a group."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def _values(group: str, name: str) -> tuple[str, dict[str, Any]]:
    """(registered name, values) of an option file; ``defaults`` may name a schema or another option of the group."""
    content = OmegaConf.to_container(OmegaConf.load(CONFIGS / group / f"{name}.yaml"))
    if not isinstance(content, dict):
        raise ConfigError(f"configs/{group}/{name}.yaml must hold a mapping")
    schema, values = "", {}
    for parent in content.pop("defaults", []):
        if parent == "_self_":
            continue
        if str(parent).startswith("/schema/"):
            schema = str(parent).rsplit("/", 1)[1]
        else:
            schema, inherited = _values(group, str(parent))
            values.update(inherited)
    return schema, {**values, **content}


def load_option(group: str, name: str, overrides: Mapping[str, Any] | None = None) -> PartConfig:
    """The typed config of ``group=name`` (an option file, or a registered name without one) with ``overrides``.

    Raises:
        ConfigError: unknown option or key, or a value of the wrong type.
    """
    if name in options(group):
        schema, values = _values(group, name)
        return make(group, schema, {**values, **(overrides or {})})
    if name in registered(group):
        return make(group, name, overrides)
    raise ConfigError(unknown(group, name, {*options(group), *registered(group)}))
