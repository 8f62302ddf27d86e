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
    from geo_lm4ve.blocks.base import Block
    from geo_lm4ve.blocks.frozen import FrozenBlock
    from geo_lm4ve.create import create_model
    from geo_lm4ve.engine.weights import load_run
    from geo_lm4ve.model import Model
    from geo_lm4ve.options import list_blocks, list_data, list_models
    from geo_lm4ve.pretrained import load_official
    from geo_lm4ve.tokens import TokenSet

__version__ = "0.1.0"
__all__ = [
    "Block",
    "FrozenBlock",
    "Model",
    "TokenSet",
    "create_model",
    "list_blocks",
    "list_data",
    "list_models",
    "load_official",
    "load_run",
]

_HOMES = {
    "Block": "geo_lm4ve.blocks.base",
    "FrozenBlock": "geo_lm4ve.blocks.frozen",
    "Model": "geo_lm4ve.model",
    "TokenSet": "geo_lm4ve.tokens",
    "create_model": "geo_lm4ve.create",
    "list_blocks": "geo_lm4ve.options",
    "list_data": "geo_lm4ve.options",
    "list_models": "geo_lm4ve.options",
    "load_official": "geo_lm4ve.pretrained",
    "load_run": "geo_lm4ve.engine.weights",
}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used, so that ``import geo_lm4ve`` stays light."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'geo_lm4ve' has no attribute {name!r}; public names: {', '.join(__all__)}")


def __dir__() -> list[str]:
    """What a console offers for completion."""
    return sorted({*globals(), *__all__})
