"""Poses: where an agent stands and which way it looks, in annotations and in predictions of SQA3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from geo_lm4ve.answering.metrics.localisation import GUESSES
from geo_lm4ve.reading import Fields

Pose: TypeAlias = tuple[float, ...]
"""Position x, y, z [m] and quaternion x, y, z, w."""
_AXES = ("x", "y", "z", "w")


def pose_in(row: Fields) -> Pose:
    """The pose of a row with ``position`` and ``rotation``; () for a row with neither.

    Both are mappings, read by name (x, y, z and _x, _y, _z, _w, whose order differs between SQA3D's own files; x, y,
    z, w will do), or lists of 3 and of 4 numbers with w last.

    Raises:
        ValueError: one is missing, is something else or not finite, or the quaternion is 0; names the row.
    """
    if not {"position", "rotation"} & set(row.values):
        return ()
    pose = (*_numbers(row, "position", 3), *_numbers(row, "rotation", 4))
    if not any(pose[3:]):
        raise ValueError(f"{row.prefix}rotation is the quaternion 0, which turns nothing; no turn is (0, 0, 0, 1)")
    return pose


def poses_in(row: Fields) -> tuple[Pose, ...]:
    """The poses that a row guesses: its own, or up to three mappings in a list ``poses``; () for none.

    Raises:
        ValueError: see ``pose_in``; or there are more.
    """
    if "poses" not in row.values:
        return (own,) if (own := pose_in(row)) else ()
    given = row["poses"]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given) or not given:
        raise ValueError(f"{row.prefix}poses is no list of mappings with position and rotation")
    if len(given) > GUESSES:
        raise ValueError(f"{row.prefix}poses has {len(given)} guesses; the track allows {GUESSES}")
    found = [pose_in(Fields(one, f"{row.prefix}poses[{place}].")) for place, one in enumerate(given)]
    if () in found:
        raise ValueError(f"{row.prefix}poses[{found.index(())}] has neither position nor rotation")
    return tuple(found)


def shown(pose: Pose) -> str:
    """A pose as people read it: place on the floor plan and the turn about z."""
    from scipy.spatial.transform import Rotation  # scoring texts does without it

    turn = np.degrees(Rotation.from_quat(pose[3:]).as_rotvec()[2])
    return f"({pose[0]:.2f} m, {pose[1]:.2f} m), {turn:.0f}°"


def _numbers(row: Fields, key: str, count: int) -> Sequence[float]:
    given = row[key]
    if isinstance(given, list) and len(given) == count:
        given = dict(zip(_AXES, given))
    fields = Fields(_plain(given) if isinstance(given, dict) else {}, f"{row.prefix}{key}.")
    if len(fields.values) != count:
        raise ValueError(f"{row.prefix}{key} is {given!r:.80}, not {', '.join(_AXES[:count])}")
    return [fields.number(axis) for axis in _AXES[:count]]


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix("_"): value for key, value in given.items()}
