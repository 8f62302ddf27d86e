"""What a state dict says about the model it belongs to, for errors that name the next step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from torch import Tensor


@dataclass(frozen=True)
class Architecture:
    """The numbers of a Point-BERT family model that can be read off its tensors; None where there is no such tensor.

    The number of attention heads, the groups and drop path leave no trace in the weights.

    Attributes:
        dim: ``encoder.dim``.
        depth: ``encoder.depth``.
        pointnet_width: ``encoder.pointnet_width``.
        encoder_dim: ``encoder.encoder_dim``.
        hidden: ``head.hidden``.
        outputs: classes.
        block_dim: width of the language-model block between the adapters.
    """

    dim: int | None
    depth: int
    pointnet_width: int | None
    encoder_dim: int | None
    hidden: tuple[int, ...]
    outputs: int | None
    block_dim: int | None

    def differences(self, other: Architecture) -> dict[str, tuple[object, object]]:
        """Field -> (here, there) where it is known here and differs there."""
        here, there = asdict(self), asdict(other)
        return {key: (here[key], there[key]) for key in here if here[key] and here[key] != there[key]}


def infer_architecture(state: Mapping[str, Tensor]) -> Architecture:
    """The architecture behind a state dict in our names (of ``model.state_dict()``, or renamed by a table)."""
    widths = [value.shape[0] for _, value in sorted(_linear(state, "head.mlp"))]
    return Architecture(
        dim=_rows(state, "encoder.stages.block_0.attention_norm.weight"),
        depth=len({match[1] for key in state if (match := re.match(r"encoder\.stages\.block_(\d+)\.", key))}),
        pointnet_width=_rows(state, "encoder.stages.embed.pointnet.lift.weight"),
        encoder_dim=_rows(state, "encoder.stages.embed.pointnet.out.weight"),
        hidden=tuple(widths[:-1]),
        outputs=widths[-1] if widths else None,
        block_dim=_rows(state, "bridge.adapter_in.weight"),
    )


def _rows(state: Mapping[str, Tensor], key: str) -> int | None:
    return state[key].shape[0] if key in state else None


def _linear(state: Mapping[str, Tensor], prefix: str) -> list[tuple[int, Tensor]]:
    """(position, weight) of the linear layers of a Sequential."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.weight")
    matches = [(pattern.fullmatch(key), value) for key, value in state.items()]
    return [(int(match[1]), value) for match, value in matches if match and value.ndim == 2]
