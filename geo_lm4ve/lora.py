"""Low-rank updates of a module's matrices, by peft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from geo_lm4ve.files import UserError


@dataclass(frozen=True)
class LoraOptions:
    """What LoRA trains.

    Attributes:
        rank: of each update (MedVisionLlama, arXiv 2410.02458, found 4 best).
        alpha: updates are scaled by alpha / rank.
        dropout: probability of dropping an input of an update while training.
        targets: names of linear layers (``q_proj``, ``fc1``, …); (): all of them.
    """

    rank: int = 4
    alpha: float = 8.0
    dropout: float = 0.0
    targets: tuple[str, ...] = ()


def add_lora(layers: nn.Module, options: LoraOptions, error: type[UserError]) -> None:
    """Wrap linear layers of ``layers`` in place; only the updates are trained, and they start at zero.

    Raises:
        UserError: (of class ``error``) peft is not installed, or a target is not there (the message lists the linear
            layers).
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as fault:
        raise error('LoRA needs peft: pip install "geo_lm4ve[lora]"') from fault
    matrices = _matrices(layers)
    if absent := set(options.targets) - set(matrices):
        raise error(f"no linear layer is called {', '.join(sorted(absent))}; there are {', '.join(sorted(matrices))}")
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=list(options.targets or matrices),
        fan_in_fan_out=not all(isinstance(module, nn.Linear) for module in matrices.values()),
    )
    inject_adapter_in_model(config, layers)


def _matrices(layers: nn.Module) -> dict[str, Any]:
    """Modules that hold a matrix, by the last part of their names."""
    found = {}
    for name, module in layers.named_modules():
        if getattr(getattr(module, "weight", None), "ndim", 0) == 2 and not isinstance(module, nn.Embedding):
            found[name.rpartition(".")[2]] = module
    return found
