"""Values of tokens on the agents and lanes they stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.viz.scene import TrafficScene


def with_activation(scene: TrafficScene, tokens: TokenSet, values: Float[Tensor, "b n"], row: int) -> TrafficScene:
    """The scene with one value per agent and lane.

    Args:
        scene: row ``row`` of the batch that the tokens were made of.
        tokens: with spans ``agents`` and ``lanes``, or ``proposals`` (several per agent: the largest value counts).
        values: (B, N) one value per token; NaN: no token.
        row: the scene's row.

    Raises:
        ValueError: none of these spans is there.
    """
    known = [name for name in ("agents", "proposals", "lanes") if name in tokens.spans]
    if not known:
        raise ValueError(f"no tokens of agents or lanes among the spans {sorted(tokens.spans)}")
    for name in known:
        part = values[row, tokens.span(name)].detach().cpu().double().numpy()
        if name == "lanes":
            scene = replace(scene, lane_activation=_fitted(part, len(scene.lanes)))
        else:
            agents = len(tokens.context["agent_rows"][row]) if name == "proposals" else len(part)
            scene = replace(scene, agent_activation=_fitted(_strongest(part.reshape(agents, -1)), len(scene.tracks)))
    return scene


def _strongest(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The largest value of each row; NaN where there is none."""
    return np.where(np.isnan(values).all(1), np.nan, np.nan_to_num(values, nan=-np.inf).max(1))


def _fitted(values: Float[np.ndarray, " n"], count: int) -> Float[np.ndarray, " _"]:
    """The first ``count`` values, the rest is padding; NaN where an encoder makes fewer tokens (of targets alone)."""
    return np.concatenate([values, np.full(max(count - len(values), 0), np.nan)])[:count]
