"""Names of the parts of a vision transformer's layer: those of files, and those that transformers' modules have.

ViT, DeiT, DINOv2 and BEiT keep the names of BERT in their files, whatever newer modules are called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor

IN_FILES = {
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
"""Names of modules -> names in files."""
_IN_MODULES = {name: module for module, name in IN_FILES.items()}


def to_modules(tensors: Mapping[str, Tensor], expected: Collection[str]) -> dict[str, Tensor]:
    """Tensors of a layer under the names that its module expects, as far as it has another name for them."""
    return {_renamed(key, expected): tensor for key, tensor in tensors.items()}


def _renamed(key: str, expected: Collection[str]) -> str:
    part, _, kind = key.rpartition(".")
    other = f"{_IN_MODULES.get(part, part)}.{kind}"
    return other if key not in expected and other in expected else key
