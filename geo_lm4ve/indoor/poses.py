"""Where askers stand: out of SQA3D's frame into that of the points of their room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.answering.questions import Question
from geo_lm4ve.indoor.room import Room

_NOWHERE = (0.0, 0.0, 0.0)


def aligned_pose(pose: Sequence[float], room: Room) -> Float[Tensor, " 7"]:
    """A pose of SQA3D in the frame of the points: position x, y, z [m] and quaternion x, y, z, w.

    SQA3D's positions are offsets from the centre of the box round the raw scan, and its rotations are relative to the
    raw axes (``ScanQA/lib/sepdataset.py``).
    """
    from scipy.spatial.transform import Rotation

    turn, shift = room.alignment[:3, :3], room.alignment[:3, 3]
    position = turn @ (np.array(pose[:3]) + room.raw_center) + shift
    rotation = turn @ Rotation.from_quat(np.array(pose[3:])).as_matrix()
    return torch.from_numpy(np.concatenate([position, Rotation.from_matrix(rotation).as_quat()]))


def are_placeholders(questions: Sequence[Question]) -> bool:
    """Whether every pose is that of the origin without a turn: nobody has said where the askers stand."""
    return all(not one.pose or (one.pose[:3] == _NOWHERE and not any(one.pose[3:6])) for one in questions)
