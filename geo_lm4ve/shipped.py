"""What is shipped: the one list that a new modality adds a line to, and the import of everything that registers."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from geo_lm4ve.files import UserError

MODALITIES = ("geo_lm4ve.points", "geo_lm4ve.traffic")
"""One room per modality: its package imports what registers its data, encoders, heads, tasks and checkpoints."""

SHARED = ("geo_lm4ve.blocks", "geo_lm4ve.bridge", "geo_lm4ve.parts.run", "geo_lm4ve.engine", "geo_lm4ve.classification")
"""Packages of the shared rooms that register parts."""

PLUGINS = "geo_lm4ve.plugins"
"""Entry point group under which other packages name modules that call ``@register``."""

_begun = False


def load_parts() -> None:
    """Import, once per process, everything that registers: shared parts, modalities, then plugins.

    Raises:
        UserError: a plugin cannot be imported; the message names it.
    """
    global _begun
    if _begun:
        return
    _begun = True  # before the imports: a part may look up another one while it is imported
    try:
        for package in (*SHARED, *MODALITIES):
            import_module(package)
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
