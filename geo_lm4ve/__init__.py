"""geo_lm4ve: one frozen language-model block as a visual encoder layer.

>>> import geo_lm4ve
>>> model = geo_lm4ve.create_model("point_bert_tiny", num_classes=24, block="identity")
>>> sorted(name for name, _ in model.named_children())
['bridge', 'encoder', 'head']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geo_lm4ve.blocks.frozen import FrozenBlock
    from geo_lm4ve.model import Model, create_model
    from geo_lm4ve.pretrained import load_official
    from geo_lm4ve.tokens import TokenSet

__version__ = "0.1.0"
__all__ = ["FrozenBlock", "Model", "TokenSet", "create_model", "load_official"]

_HOMES = {
    "FrozenBlock": "geo_lm4ve.blocks.frozen",
    "Model": "geo_lm4ve.model",
    "TokenSet": "geo_lm4ve.tokens",
    "create_model": "geo_lm4ve.model",
    "load_official": "geo_lm4ve.pretrained",
}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that ``import geo_lm4ve`` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'geo_lm4ve' has no attribute {name!r}; public names: {', '.join(__all__)}")
