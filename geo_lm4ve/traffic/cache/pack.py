"""ScenePack: many scenes as a few flat arrays, in the form in which they are cached and held in memory.

Positions are float32 metres relative to a float64 reference point near by (the scene's target, a lane's first point),
in the axes of the city: exact to some micrometres, whatever frame a model asks for later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int8, Int64, UInt8
from torch import Tensor

from geo_lm4ve.traffic.cache.contents import Steps, check_contents, check_kinds


@dataclass(frozen=True)
class ScenePack:
    """S scenes, A agents (the target first in each scene), R positions, V lane views, L lanes, P points, E links.

    ``x_ptr`` holds offsets: scene s has the agents ``agent_ptr[s]:agent_ptr[s + 1]``, and so on.

    Attributes:
        scene_id, scene_id_ptr, city, city_ptr, track_id, track_id_ptr: texts (UTF-8) per scene and agent.
        reference: (S, 2) the target's last observed position in the city [m].
        times: (S, T) seconds of the observed steps since the first.
        agent_ptr: (S + 1,).
        agent_type, category: AgentType and TrackCategory per agent.
        is_ego: the recording car.
        heading: at the last observed step [rad, city axes].
        velocity: at the last observed step [m/s, city axes].
        valid_bits: (A, ceil((T + F) / 8)) which steps are valid, least significant bit first.
        step_ptr: (A + 1,) offsets into positions, which hold the valid steps only (derived, not stored).
        positions: (R, 2) relative to the scene's reference.
        lane_ptr: (S + 1,) offsets into lane_view.
        lane_view: (V,) lanes of each scene, ascending: rows of the lane table below.
        anchor: (L, 2) first point of each lane in the city [m].
        box: (L, 4) bounding box x0, y0, x1, y1 relative to the anchor (derived, not stored).
        attributes: (L, 4) turn, intersection, control, lane_type.
        point_ptr: (L + 1,); points: (P, 2) relative to the anchor.
        link_ptr: (L + 1,); link_target: (E,) lanes; link_kind: (E,) indices in LANE_EDGES.
    """

    scene_id: UInt8[Tensor, " c1"]
    scene_id_ptr: Int64[Tensor, " s1"]
    city: UInt8[Tensor, " c2"]
    city_ptr: Int64[Tensor, " s1"]
    track_id: UInt8[Tensor, " c3"]
    track_id_ptr: Int64[Tensor, " a1"]
    reference: Float64[Tensor, "s 2"]
    times: Float32[Tensor, "s t"]
    agent_ptr: Int64[Tensor, " s1"]
    agent_type: Int8[Tensor, " a"]
    category: Int8[Tensor, " a"]
    is_ego: Bool[Tensor, " a"]
    heading: Float32[Tensor, " a"]
    velocity: Float32[Tensor, "a 2"]
    valid_bits: UInt8[Tensor, "a bytes"]
    step_ptr: Int64[Tensor, " a1"]
    positions: Float32[Tensor, "r 2"]
    lane_ptr: Int64[Tensor, " s1"]
    lane_view: Int64[Tensor, " v"]
    anchor: Float64[Tensor, "l 2"]
    box: Float32[Tensor, "l 4"]
    attributes: Int8[Tensor, "l 4"]
    point_ptr: Int64[Tensor, " l1"]
    points: Float32[Tensor, "p 2"]
    link_ptr: Int64[Tensor, " l1"]
    link_target: Int64[Tensor, " e"]
    link_kind: Int8[Tensor, " e"]

    def __len__(self) -> int:
        """Number of scenes S."""
        return len(self.reference)

    @property
    def nbytes(self) -> int:
        """Size of all arrays."""
        return sum(tensor.nbytes for tensor in self.arrays().values())

    def arrays(self) -> dict[str, Tensor]:
        """What is stored, by name; offsets as int32, which halves them."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in DERIVED}
        return {name: value.int() if value.dtype == torch.int64 else value for name, value in values.items()}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Tensor], steps: Steps | None = None) -> ScenePack:
        """The pack with these stored arrays.

        Args:
            arrays: as of ``arrays``.
            steps: of its scenes; None: any.

        Raises:
            ValueError: one is missing, of another kind, or says what no scenes can be (``cache/contents.py``).
        """
        check_kinds(arrays)
        values = {name: value.long() if value.dtype == torch.int32 else value for name, value in arrays.items()}
        valid = unpack_bits(values["valid_bits"])
        check_contents(values, valid, steps)
        ends = torch.cat([torch.zeros(1, dtype=torch.long), valid.sum(1).cumsum(0)])
        return cls(**values, step_ptr=ends, box=_boxes(values["points"], values["point_ptr"]))


DERIVED = frozenset({"box", "step_ptr"})


def join_packs(packs: Sequence[ScenePack]) -> ScenePack:
    """Several packs as one, scenes and lane tables one after the other."""
    if len(packs) == 1:
        return packs[0]
    lanes = [0, *accumulate(len(pack.anchor) for pack in packs)]
    arrays = {}
    for field in fields(ScenePack):
        values = [getattr(pack, field.name) for pack in packs]
        if field.name.endswith("_ptr"):
            lengths = torch.cat([value.diff() for value in values])
            arrays[field.name] = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
            continue
        if field.name in ("lane_view", "link_target"):
            values = [value + first for value, first in zip(values, lanes)]
        arrays[field.name] = torch.cat(values)
    return ScenePack(**arrays)


def unpack_bits(bits: UInt8[Tensor, "a bytes"]) -> Bool[Tensor, "a steps"]:
    """Eight truth values per byte, least significant bit first."""
    return ((bits[:, :, None] >> torch.arange(8, dtype=torch.uint8)) & 1).bool().flatten(1)


def _boxes(points: Tensor, ptr: Tensor) -> Tensor:
    lane = torch.arange(len(ptr) - 1).repeat_interleave(ptr.diff())[:, None].expand(-1, 2)
    corners = [points.new_zeros(len(ptr) - 1, 2).scatter_reduce(0, lane, points, how) for how in ("amin", "amax")]
    return torch.cat(corners, 1)


def encode_texts(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Texts as UTF-8 bytes and offsets."""
    pieces = [text.encode() for text in texts]
    ptr = np.cumsum([0, *map(len, pieces)])
    return torch.from_numpy(np.frombuffer(b"".join(pieces), dtype=np.uint8).copy()), torch.from_numpy(ptr).long()


def decode_texts(data: Tensor, ptr: Tensor, rows: Sequence[int] | Tensor) -> list[str]:
    """Some of the texts that ``encode_texts`` stored."""
    raw, chosen = data.numpy().tobytes(), torch.as_tensor(rows)
    places = zip(ptr[chosen].tolist(), ptr[chosen + 1].tolist())
    whole = raw.decode()
    if whole.isascii():  # characters and bytes count alike, and cutting a text is much faster than decoding pieces
        return [whole[start:stop] for start, stop in places]
    return [raw[start:stop].decode() for start, stop in places]


def ragged(ptr: Int64[Tensor, " n1"], rows: Int64[Tensor, " k"]) -> tuple[Int64[Tensor, " m"], Int64[Tensor, " k"]]:
    """Indices of the items of some rows of a ragged array, one row after the other, and the rows' lengths."""
    start = ptr[rows]
    lengths = ptr[rows + 1] - start
    ends = lengths.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    return torch.arange(total) + (start - ends + lengths).repeat_interleave(lengths, output_size=total), lengths
