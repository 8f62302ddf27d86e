"""What depends on the data of a batch of scenes and decides shapes or refusals: numbers on the host, one per scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Int64
from torch import Tensor
from torch_geometric.data import HeteroData


@dataclass(frozen=True)
class SceneSizes:
    """Plain numbers for each of S scenes, known when a batch is made, so that no step asks a device for them.

    Attributes:
        agents: agents.
        seen: agents that were seen at the last observed step; only they are decoded.
        lanes: lanes.
        pieces: pieces of centrelines between two successive real points.
        target_seen: whether the target was seen at the last observed step.
    """

    agents: tuple[int, ...]
    seen: tuple[int, ...]
    lanes: tuple[int, ...]
    pieces: tuple[int, ...]
    target_seen: tuple[bool, ...]

    @classmethod
    def of(cls, graph: HeteroData) -> SceneSizes:
        """Counted in the tensors of a SceneBatch's graph, which waits for their device."""
        agents, lanes = graph["agent"], graph["lane"]
        seen = agents.history_valid[:, -1]
        counts = {
            "agents": agents.ptr.diff(),
            "seen": _per_scene(seen, agents.ptr),
            "lanes": lanes.ptr.diff(),
            "pieces": _per_scene(real_pieces(lanes.points_valid).sum(1), lanes.ptr),
            "target_seen": seen[agents.ptr[:-1]].long(),
        }
        numbers = torch.stack(list(counts.values())).tolist()
        known = {name: tuple(values) for name, values in zip(counts, numbers)}
        return cls(**{**known, "target_seen": tuple(map(bool, known["target_seen"]))})

    @classmethod
    def joined(cls, parts: Sequence[SceneSizes]) -> SceneSizes:
        """Those of the scenes of several batches, one batch after the other."""
        names = [field.name for field in fields(cls)]
        return cls(*(sum((getattr(part, name) for part in parts), ()) for name in names))


def real_pieces(points_valid: Bool[Tensor, "l p"]) -> Bool[Tensor, "l q"]:
    """Which pieces between successive points of the lanes are no padding: both ends are real."""
    return points_valid[:, 1:] & points_valid[:, :-1]


def _per_scene(values: Tensor, ptr: Int64[Tensor, " s1"]) -> Int64[Tensor, " s"]:
    """Sums of (N,) values over the scenes whose first items ``ptr`` names."""
    sums = torch.cat([ptr.new_zeros(1), values.long().cumsum(0)])
    return sums[ptr].diff()
