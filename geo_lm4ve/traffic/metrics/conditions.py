"""Under which conditions a forecast was made: how fast, how much of a turn, among how many others."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from geo_lm4ve.traffic.batch import HZ

SECOND = round(HZ)
"""Steps of a second."""
MOVING_M = 1.0
"""A displacement shorter than this has no direction: positions jitter by decimetres."""
STRAIGHT_DEG = 15.0
"""A heading that changes by less is straight on."""

SPEED_EDGES, SPEED_LABELS = (0.5, 5, 10, 15), ("below 0.5 m/s", "0.5-5 m/s", "5-10 m/s", "10-15 m/s", "from 15 m/s")
AGENT_EDGES, AGENT_LABELS = (11, 26, 51), ("1-10 agents", "11-25 agents", "26-50 agents", "over 50 agents")
TURN_LABELS = ("left", "straight", "right", "no direction")
GROUP_ORDER = (*SPEED_LABELS, *TURN_LABELS, *AGENT_LABELS)
"""Groups in the order of tables."""


def observed_speed(history: Float[np.ndarray, "s t 2"]) -> Float[np.ndarray, " s"]:
    """Speed in m/s: displacement over the last observed second (or all of a shorter history)."""
    steps = min(SECOND, history.shape[1] - 1)
    return np.linalg.norm(history[:, -1] - history[:, -1 - steps], axis=-1) * HZ / max(steps, 1)


def turn_angle(history: Float[np.ndarray, "s t 2"], future: Float[np.ndarray, "s f 2"]) -> Float[np.ndarray, " s"]:
    """Change of heading in degrees from the last observed to the last future second, positive to the left.

    Where a second holds less than a metre of movement, the direction is taken over the whole history (or future); NaN
    where that is too short as well.
    """
    now = history[:, -1]
    entry = _direction(now - history[:, -1 - min(SECOND, history.shape[1] - 1)], now - history[:, 0])
    leave = _direction(future[:, -1] - future[:, -1 - min(SECOND, future.shape[1] - 1)], future[:, -1] - now)
    cross = entry[:, 0] * leave[:, 1] - entry[:, 1] * leave[:, 0]
    return np.degrees(np.arctan2(cross, (entry * leave).sum(-1)))


def _direction(short: Float[np.ndarray, "s 2"], long: Float[np.ndarray, "s 2"]) -> Float[np.ndarray, "s 2"]:
    chosen = np.where(np.linalg.norm(short, axis=-1, keepdims=True) < MOVING_M, long, short)
    return np.where(np.linalg.norm(chosen, axis=-1, keepdims=True) < MOVING_M, np.nan, chosen)


def speed_groups(speed: Float[np.ndarray, " s"]) -> list[str]:
    """Ranges of m/s; the lowest one is standing."""
    return [SPEED_LABELS[place] for place in np.digitize(speed, SPEED_EDGES)]


def turn_groups(angle: Float[np.ndarray, " s"]) -> list[str]:
    """``straight`` (less than 15 degrees), ``left``, ``right``, or ``no direction`` where the agent hardly moves."""
    place = np.select([np.isnan(angle), angle >= STRAIGHT_DEG, angle <= -STRAIGHT_DEG], [3, 0, 2], 1)
    return [TURN_LABELS[number] for number in place]


def agent_groups(agents: Int64[np.ndarray, " s"]) -> list[str]:
    """Ranges of the number of agents seen at the last observed step, the target included."""
    return [AGENT_LABELS[place] for place in np.digitize(agents, AGENT_EDGES)]
