"""Random flips, tilts and shifts of rooms in training, as ScanQA (``lib/dataset.py``) and SQA3D move them.

A mirrored room is another one for words like "left": both data sets flip rooms and leave question and answer as they
are. ``flip=0`` does without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class RoomMotion:
    """How one room is moved: mirrored, then turned about x, y and z, then shifted.

    Attributes:
        flipped: mirrored along x, along y.
        angles: [rad] about x, y, z.
        shift: (3,) [m].
    """

    flipped: tuple[bool, bool]
    angles: tuple[float, float, float]
    shift: Float[Tensor, " 3"]

    @cached_property
    def mirror(self) -> Float[Tensor, "3 3"]:
        """The flips as a matrix."""
        signs = [-1.0 if flipped else 1.0 for flipped in self.flipped]
        return torch.diag(torch.tensor([*signs, 1.0], dtype=torch.float64))

    @cached_property
    def rotation(self) -> Float[Tensor, "3 3"]:
        """The turns as a matrix."""
        about_x, about_y, about_z = (_turn(axis, angle) for axis, angle in enumerate(self.angles))
        return about_z @ about_y @ about_x

    def points(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Points [m], moved."""
        return (points.double() @ (self.rotation @ self.mirror).T + self.shift).to(points.dtype)

    def boxes(self, boxes: Float[Tensor, "k 6"]) -> Float[Tensor, "k 6"]:
        """Axis-aligned boxes, centre and size [m], moved.

        Sizes as ScanQA's ``rotate_aligned_boxes_along_axis`` has them: the turn about z gives the box round the turned
        one, the small tilts shorten a side by their cosine (z by that about x, x by that about y) and lengthen none.
        """
        about_x, about_y, about_z = (abs(math.cos(angle)) for angle in self.angles)
        sine = abs(math.sin(self.angles[2]))
        x, y, z = boxes.double()[:, 3:].unbind(1)
        x, z = about_y * x, about_x * z
        sizes = torch.stack([about_z * x + sine * y, sine * x + about_z * y, z], 1).to(boxes.dtype)
        return torch.cat([self.points(boxes[:, :3]), sizes], 1)

    def poses(self, poses: Float[Tensor, "b 7"]) -> Float[Tensor, "b 7"]:
        """Position [m] and quaternion x, y, z, w of askers, moved with the room.

        SQA3D's askers look along their own -x and have z up, so that what a mirror exchanges is their y: of a flip they
        keep a rotation, the one that looks where the mirrored look goes. For rotations about z, which SQA3D's are,
        these are the flips of its own code.
        """
        from scipy.spatial.transform import Rotation

        turned = torch.from_numpy(Rotation.from_quat(poses[:, 3:].double().numpy()).as_matrix())
        if sum(self.flipped) % 2:
            turned = self.mirror @ turned @ torch.diag(torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64))
        elif any(self.flipped):
            turned = self.mirror @ turned
        moved = Rotation.from_matrix((self.rotation @ turned).numpy()).as_quat()
        return torch.cat([self.points(poses[:, :3]), torch.from_numpy(moved).to(poses.dtype)], 1)


@dataclass(frozen=True)
class RoomAugment:
    """What is random in training.

    Attributes:
        flip: probability of a flip along x, and of one along y.
        rotate: bound of the turn about each axis, in degrees.
        shift: bound of the shift along each axis [m].
    """

    flip: float = 0.5
    rotate: float = 5.0
    shift: float = 0.5

    def draw(self, random: torch.Generator) -> RoomMotion:
        """How one room is moved."""
        flip_x, flip_y = (torch.rand(2, generator=random) < self.flip).tolist()
        turn = math.radians(self.rotate) * (2 * torch.rand(3, generator=random, dtype=torch.float64) - 1)
        shift = self.shift * (2 * torch.rand(3, generator=random, dtype=torch.float64) - 1)
        about_x, about_y, about_z = turn.tolist()
        return RoomMotion((flip_x, flip_y), (about_x, about_y, about_z), shift)


def _turn(axis: int, angle: float) -> Tensor:
    """Rotation about one axis, counter-clockwise for who looks against it."""
    one, other = ((1, 2), (2, 0), (0, 1))[axis]
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[one, one] = matrix[other, other] = math.cos(angle)
    matrix[other, one] = math.sin(angle)
    matrix[one, other] = -math.sin(angle)
    return matrix
