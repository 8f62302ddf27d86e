"""A small crossroads with a target that turns left, two other agents and three forecasts."""

import numpy as np

from geo_lm4ve.traffic.viz.scene import TrafficScene

T, F = 20, 30


def arc(angle, steps=F, speed=0.8):
    """Positions after each step, from (0, 0) upwards, turning evenly by ``angle`` in all."""
    heading = np.pi / 2 + np.linspace(0, angle, steps)
    return np.cumsum(speed * np.stack([np.cos(heading), np.sin(heading)], 1), axis=0)


def example(**changes):
    past = np.stack([np.zeros(T), 0.8 * np.arange(1.0 - T, 1)], 1)
    target = np.concatenate([past, arc(1.2)])
    late = np.full((T + F, 2), np.nan)
    late[10:40] = np.stack([np.full(30, 5.0), 4.0 - 0.5 * np.arange(30.0)], 1)
    parked = np.full((T + F, 2), np.nan)
    parked[:15], parked[25:] = [-4.0, 2.0], [-4.0, 2.0]
    values = {
        "name": "7",
        "city": "PIT",
        "history": T,
        "lanes": [np.array([[0.0, -30], [0, 10], [0, 40]]), np.array([[-30.0, 12], [30, 12]])],
        "intersection": np.array([0, 1]),
        "tracks": np.stack([target, late, parked]),
        "headings": np.array([np.pi / 2, -np.pi / 2, np.nan]),
        "kinds": ["vehicle", "cyclist", "vehicle"],
        "agent_ids": ["a", "b", "c"],
        "modes": np.stack([arc(0.0), arc(1.15), arc(-1.2)]),
        "probabilities": np.array([0.6, 0.3, 0.1]),
        "numbers": {"minADE_6": 0.12, "minFDE_6": 0.8},
    }
    return TrafficScene(**{**values, **changes})


def withheld():
    """The same scene from a test split: no future, no forecast."""
    scene = example(modes=None, probabilities=None, numbers={})
    scene.tracks[:, T:] = np.nan
    return scene
