"""Agents of the scenes of one batch, gathered from a pack."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic import frames
from geo_lm4ve.traffic.cache.pack import ScenePack, decode_texts, ragged, unpack_bits
from geo_lm4ve.traffic.view.conventions import Origin


@dataclass(frozen=True)
class AgentRows:
    """A agents of S scenes, sorted by scene, targets first in their scenes.

    Attributes:
        row: (A,) their rows in the pack.
        scene: (A,) their scenes.
        ptr: (S + 1,).
        positions: (A, T + F, 2) relative to ``origin`` [m].
        valid: (A, T + F).
        history: T.
        origin: (S, 2) city coordinates.
    """

    row: Int64[Tensor, " a"]
    scene: Int64[Tensor, " a"]
    ptr: Int64[Tensor, " s1"]
    positions: Float32[Tensor, "a t 2"]
    valid: Bool[Tensor, "a t"]
    history: int
    origin: Float64[Tensor, "s 2"]

    def rotated(self, rotation: Float64[Tensor, " s"]) -> AgentRows:
        """Positions in frames that are turned by ``rotation`` against the city."""
        return replace(self, positions=frames.rotate(self.positions, -rotation[self.scene].float()))

    def kept(self, keep: Bool[Tensor, " a"]) -> AgentRows:
        """Only some agents."""
        scene = self.scene[keep]
        return replace(
            self, row=self.row[keep], scene=scene, ptr=offsets(scene, len(self.origin)),
            positions=self.positions[keep], valid=self.valid[keep],
        )  # fmt: skip


def agent_rows(
    pack: ScenePack, rows: Int64[Tensor, " s"], future: int, origin: Origin
) -> tuple[AgentRows, Int64[Tensor, " s"]]:
    """All agents of some scenes, positions relative to the scenes' origins in the axes of the city.

    The second value is the agent at each scene's origin.

    Raises:
        DataError: the origin is the recording car and a scene has none.
    """
    row, counts = ragged(pack.agent_ptr, rows)
    history = pack.times.shape[1]
    scene = torch.arange(len(rows)).repeat_interleave(counts)
    ptr = offsets(scene, len(rows))
    valid = unpack_bits(pack.valid_bits[row])[:, : history + future]
    bounds = zip(*(pack.step_ptr[pack.agent_ptr[edge]].tolist() for edge in (rows, rows + 1)))
    known = torch.view_as_complex(torch.cat([pack.positions[start:stop] for start, stop in bounds]))
    positions = torch.view_as_real(torch.zeros(valid.shape, dtype=known.dtype).masked_scatter_(valid, known))
    centre = ptr[:-1]
    if origin is Origin.ego:
        centre = _ego(pack, rows, pack.is_ego[row] & valid[:, history - 1], scene)
        positions = (positions - positions[centre, history - 1][scene][:, None]) * valid[..., None]
    moved = positions[ptr[:-1], history - 1].double()
    return AgentRows(row, scene, ptr, positions, valid, history, pack.reference[rows] - moved), centre


def _ego(pack: ScenePack, rows: Tensor, is_ego: Tensor, scene: Tensor) -> Tensor:
    found = is_ego.nonzero()[:, 0]
    without = torch.bincount(scene[found], minlength=len(rows)) == 0
    if without.any():
        name = decode_texts(pack.scene_id, pack.scene_id_ptr, rows[without])[0]
        raise DataError(
            f"scene {name} has no recording car at its last observed step, which data.frame.origin=ego needs; "
            "choose data.frame.origin=target"
        )
    return found


def offsets(scene: Int64[Tensor, " n"], scenes: int) -> Int64[Tensor, " s1"]:
    """Where each scene's items start, from their sorted scene numbers."""
    return torch.searchsorted(scene, torch.arange(scenes + 1))
