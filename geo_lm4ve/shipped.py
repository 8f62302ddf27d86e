"""What is shipped: the one list that a new modality adds a line to, and the import of what registers something.

Each room holds a table ``PARTS``: kind -> name -> the module (relative to the room) that registers it when imported.
Kinds are the groups of an experiment, ``preparer``, ``scorer``, ``drawer`` (by suffix) and ``checkpoints``. So a part
is found by its name without importing the others, which may need seconds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import resolve_name

from geo_lm4ve.files import UserError

GROUPS = ("data", "encoder", "block", "bridge", "head", "task", "optim", "run")
"""The groups of an experiment, in the order in which data flows through them."""

MODALITIES = ("geo_lm4ve.points", "geo_lm4ve.traffic", "geo_lm4ve.indoor", "geo_lm4ve.images", "geo_lm4ve.video")
"""One room per modality: data, encoders, heads, tasks and checkpoints of its own."""

SHARED = ("geo_lm4ve.blocks", "geo_lm4ve.parts", "geo_lm4ve.engine", "geo_lm4ve.classification", "geo_lm4ve.answering")
"""The shared rooms that register something."""

PLUGINS = "geo_lm4ve.plugins"
"""Entry point group under which other packages name modules that register parts."""

_begun = False


@cache
def tables() -> dict[str, dict[str, str]]:
    """Kind -> name -> module, of all rooms; imports none of these modules."""
    found: dict[str, dict[str, str]] = {}
    for room in (*SHARED, *MODALITIES):
        for kind, modules in import_module(room).PARTS.items():
            found.setdefault(kind, {}).update({name: resolve_name(place, room) for name, place in modules.items()})
    return found


def load(kind: str, name: str) -> None:
    """Import the module that registers ``name``; if no table has it, the plugins, one of which may.

    Raises:
        UserError: a plugin cannot be imported; the message names it.
    """
    if not load_shipped(kind, name):
        load_plugins()


def load_shipped(kind: str, name: str) -> bool:
    """Import the module of this repository that registers ``name``; False if none does."""
    module = tables().get(kind, {}).get(name)
    if module is not None:
        import_module(module)  # at once if it is this module that asks
    return module is not None


def load_all(kind: str) -> None:
    """Import everything that registers things of one kind, and the plugins; UserError as ``load``."""
    for module in tables().get(kind, {}).values():
        import_module(module)
    load_plugins()


def load_parts() -> None:
    """Import everything that registers: shipped parts of every kind, then plugins; UserError as ``load``."""
    for kind in tables():
        load_all(kind)


def load_plugins() -> None:
    """Import, once per process, the modules that other packages name under ``PLUGINS``; UserError as ``load``."""
    global _begun
    if _begun:
        return
    _begun = True  # before the imports: a plugin may look up a part while it is imported
    try:
        for plugin in entry_points(group=PLUGINS):
            _load(plugin)
    except BaseException:
        _begun = False
        raise


def _load(plugin: EntryPoint) -> None:
    try:
        plugin.load()
    except UserError:  # says itself what is wrong: a name that is taken, a wrong default
        raise
    except Exception as error:
        package = plugin.dist.name if plugin.dist else "an installed package"
        raise UserError(
            f"plugin {plugin.name!r} of {package} ({plugin.value}) cannot be imported: "
            f"{type(error).__name__}: {error}; mend it or uninstall it"
        ) from error
