"""The border between ragged scenes and padded token sets: agents first, then lanes."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.tokens import Lengths, TokenSet
from geo_lm4ve.traffic.batch import SceneBatch

AGENT_ROWS = "agent_rows"
"""Context entry (B, N) int64: row of each agent token in ``batch.graph["agent"]``, -1 where there is none to decode.
An agent that was not seen at the last observed frame has no current position: it is padding."""
AGENTS_SEEN = "agents_seen"
"""Context entry: how many agents there are to decode, an int on the host; where it is missing, AGENT_ROWS is asked."""


def scene_tokens(
    agents: Float[Tensor, "b n d"], lanes: Float[Tensor, "b m d"], rows: Int64[Tensor, "b n"], batch: SceneBatch
) -> TokenSet:
    """The tokens of agents and lanes that ``pad`` has laid out, in the spans ``agents`` and ``lanes``.

    ``positions`` are the agents' last observed positions and the lanes' mean points [m].

    Args:
        agents: features of the agents.
        lanes: features of the lanes.
        rows: what ``agent_rows`` gives, for the context and the validity.
        batch: the scenes they come from.
    """
    places, _ = pad(batch.graph["agent"].history[:, -1], batch, "agent")
    centres, lane_valid = pad(_centres(batch), batch, "lane")
    count, size = rows.shape[1], lane_valid.shape[1]
    seen, known_lanes = batch.sizes.seen, batch.sizes.lanes
    return TokenSet(
        features=torch.cat([agents, lanes], dim=1),
        valid=torch.cat([rows >= 0, lane_valid], dim=1),
        spans={"agents": (0, count), "lanes": (count, count + size)},
        positions=torch.cat([places, centres], dim=1),
        context={AGENT_ROWS: rows, AGENTS_SEEN: sum(seen)},
        known=Lengths(tuple(map(sum, zip(seen, known_lanes))), {"agents": seen, "lanes": known_lanes}),
    )


def agent_rows(batch: SceneBatch) -> Int64[Tensor, "b n"]:
    """See AGENT_ROWS.

    Raises:
        DataError: a scene whose target agent was not seen at the last observed frame; names the scene.
    """
    if unseen := [name for name, seen in zip(batch.scene_id, batch.sizes.target_seen) if not seen]:
        raise DataError(
            f"the target agent of scene {', '.join(unseen[:3])} was not seen at the last observed frame, so nothing "
            "can be forecast from there; drop such scenes when preparing the data"
        )
    seen = batch.graph["agent"].history_valid[:, -1]
    numbers = torch.where(seen, torch.arange(len(seen), device=seen.device), -1)
    return pad(numbers[:, None], batch, "agent", fill=-1)[0][..., 0]


def pad(values: Tensor, batch: SceneBatch, kind: str, fill: float = 0) -> tuple[Tensor, Bool[Tensor, "b n"]]:
    """Values (B, N, ...) of the agents or lanes (``kind``) of each scene padded with ``fill``, and which are real.

    N is as large as the largest scene needs and at least 1, so that attention to the lanes of a batch without any is
    defined.
    """
    nodes, counts = batch.graph[kind], {"agent": batch.sizes.agents, "lane": batch.sizes.lanes}[kind]
    longest = max((*counts, 1))
    slots = torch.arange(len(values), device=values.device) - nodes.ptr[nodes.batch]
    padded = values.new_full((len(batch), longest, *values.shape[1:]), fill)
    valid = torch.arange(longest, device=values.device) < nodes.ptr.diff()[:, None]
    return padded.index_put((nodes.batch, slots), values), valid


def _centres(batch: SceneBatch) -> Float[Tensor, "l 2"]:
    lanes = batch.graph["lane"]
    weights = lanes.points_valid[..., None]
    return (lanes.points * weights).sum(1) / weights.sum(1).clamp(min=1)
