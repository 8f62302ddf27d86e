"""Where the asker stands, from the frame of the points back to that of SQA3D's annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64


@runtime_checkable
class Framed(Protocol):
    """A data source that knows how its points lie in the raw scans."""

    def frame(self, scan: str) -> tuple[Float64[np.ndarray, "4 4"], Float64[np.ndarray, " 3"]]:
        """``Room.alignment`` and ``Room.raw_center`` of a scan."""


def in_annotations(
    pose: Sequence[float], alignment: Float64[np.ndarray, "4 4"], raw_center: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, " 7"]:
    """A pose as SQA3D's files have it: an offset from the centre of the raw scan, turned as the raw scan is.

    Args:
        pose: position x, y, z [m] and quaternion x, y, z, w in the frame of the points, of any length but 0.
        alignment: takes raw coordinates to those of the points.
        raw_center: centre of the bounding box of the raw vertices [m].
    """
    from scipy.spatial.transform import Rotation  # answers without poses do without it

    back = np.linalg.inv(alignment)
    turn = Rotation.from_matrix(back[:3, :3]) * Rotation.from_quat(pose[3:])
    return np.concatenate([back[:3, :3] @ np.asarray(pose[:3]) + back[:3, 3] - raw_center, turn.as_quat()])
