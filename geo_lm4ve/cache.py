"""Where files are kept that were fetched or computed and can be had again: one rule for every kind of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """A folder of the user's cache: ``$GEO_LM4VE_CACHE/<kind>``, else ``$XDG_CACHE_HOME/geo_lm4ve/<kind>``, else
    ``~/.cache/geo_lm4ve/<kind>``. It need not exist; a variable that is empty counts as not set.

    Args:
        kind: ``blocks``, ``fps_order``, ``scene_cache``, ...
    """
    base = os.environ.get("GEO_LM4VE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "geo_lm4ve"
    return Path(base).expanduser() / kind


def folder_beside(root: Path, kind: str, *, by_place: bool) -> Path:
    """``<root>/<kind>`` where the data's folder may be written, else a folder of the user's cache.

    A folder whose mode says read-only is left alone even by the superuser, who could write to it.

    Args:
        root: folder of the data.
        kind: see ``cache_folder``.
        by_place: in the user's cache, a folder for this root alone; for files that do not say what they were made of.
    """
    if os.access(root, os.W_OK) and root.stat().st_mode & 0o222:
        return root / kind
    if not by_place:
        return cache_folder(kind)
    return cache_folder(kind) / hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
