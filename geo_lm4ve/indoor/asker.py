"""Which way somebody looks who stands in a scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

AHEAD = (-1.0, 0.0, 0.0)
"""Where an asker looks whose quaternion is (0, 0, 0, 1): SQA3D's ``utils/visualize_data.py`` draws it so."""


def heading(pose: Sequence[float] | Float[np.ndarray, " 7"]) -> Float[np.ndarray, " 3"]:
    """Level direction, of length 1, in which an asker looks; ``AHEAD`` for one who looks straight up or down.

    Args:
        pose: position x, y, z and quaternion x, y, z, w of any length but 0.
    """
    x, y, z, w = np.asarray(pose[3:], dtype=float) / np.linalg.norm(pose[3:])
    axis, ahead = np.array([x, y, z]), np.array(AHEAD)
    turned = ahead + 2 * w * np.cross(axis, ahead) + 2 * np.cross(axis, np.cross(axis, ahead))
    level = turned * (1.0, 1.0, 0.0)
    length = float(np.linalg.norm(level))
    return level / length if length > 1e-6 else ahead
