import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from geo_lm4ve.data.random import generator
from geo_lm4ve.indoor.augment import RoomAugment, RoomMotion

STILL = (0.0, 0.0, 0.0)


def motion(flipped=(False, False), angles=STILL, shift=STILL):
    return RoomMotion(flipped, angles, torch.tensor(shift, dtype=torch.float64))


def poses(count=20, about_z=True):
    random = generator(count)
    angles = torch.rand(count, generator=random, dtype=torch.float64) * 2 * math.pi
    turns = Rotation.from_rotvec((angles[:, None] * torch.tensor([[0.0, 0.0, 1.0]])).numpy())
    if not about_z:
        turns = turns * Rotation.from_rotvec([0.3, -0.2, 0.1])
    return torch.cat([torch.randn(count, 3, generator=random).double(), torch.from_numpy(turns.as_quat())], 1)


def looks(poses, axis):
    """What the askers' own axis points at, a metre away."""
    turns = torch.from_numpy(Rotation.from_quat(poses[:, 3:].double().numpy()).as_matrix())
    return poses[:, :3].double() + turns[:, :, axis]


MOVES = [
    motion((True, False)), motion((False, True)), motion((True, True)), motion(angles=(0.05, -0.04, 0.08)),
    motion((True, False), (0.05, -0.04, 0.08), (0.3, -0.2, 0.1)), motion((True, True), (0.05, 0, 0.08), (0.3, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize("move", MOVES)
def test_the_asker_looks_where_they_looked(move):
    before = poses()
    after = move.poses(before)
    torch.testing.assert_close(after[:, :3], move.points(before[:, :3]))
    for axis in (0, 2):  # along their -x, and up
        torch.testing.assert_close(looks(after, axis), move.points(looks(before, axis)))
    side = -1.0 if sum(move.flipped) == 1 else 1.0  # in a mirrored room left is right
    wanted = move.points(before[:, :3] + side * (looks(before, 1) - before[:, :3]))
    torch.testing.assert_close(looks(after, 1), wanted)


@pytest.mark.parametrize(("axis", "flipped"), [(0, (True, False)), (1, (False, True))])
def test_flips_of_a_pose_are_those_of_sqa3d(axis, flipped):
    """``sepdataset.py``: along x two entries change sign, along y rows and columns are exchanged."""
    before = poses()
    for one, other in zip(before, motion(flipped).poses(before)):
        matrix = Rotation.from_quat(one[3:].numpy()).as_matrix()
        if axis == 0:
            matrix[0, 0] *= -1
            matrix[1, 1] *= -1
        else:
            matrix = matrix[[1, 0, 2], :][:, [1, 0, 2]]
        torch.testing.assert_close(
            torch.from_numpy(Rotation.from_quat(other[3:].numpy()).as_matrix()), torch.from_numpy(matrix)
        )


def box(points):
    low, high = points.min(0).values, points.max(0).values
    return torch.cat([(low + high) / 2, high - low])


@pytest.mark.parametrize("move", [motion((True, True), shift=(1.0, 2.0, 3.0)), motion((True, False), (0.0, 0.0, 0.7))])
def test_boxes_hold_the_corners_of_what_was_turned_about_z(move):
    boxes = torch.tensor([[1.0, 2, 0.5, 0.6, 2.0, 1.0], [-1, 0, 1, 1, 0, 3]])
    signs = torch.cartesian_prod(*[torch.tensor([-0.5, 0.5])] * 3)
    for one, moved in zip(boxes, move.boxes(boxes)):
        torch.testing.assert_close(box(move.points(one[:3] + signs * one[3:])), moved)


def test_tilts_shorten_a_side_by_their_cosine():
    boxes = torch.tensor([[0.0, 0, 0, 1, 2, 3]])
    about_x, about_y = (motion(angles=angles).boxes(boxes)[0, 3:] for angles in ((0.1, 0, 0), (0, 0.1, 0)))
    torch.testing.assert_close(about_x, torch.tensor([1, 2, 3 * math.cos(0.1)]))
    torch.testing.assert_close(about_y, torch.tensor([math.cos(0.1), 2, 3]))


def test_turns_come_about_x_then_y_then_z():
    wanted = Rotation.from_euler("xyz", [0.3, -0.2, 0.5]).as_matrix()
    torch.testing.assert_close(motion(angles=(0.3, -0.2, 0.5)).rotation, torch.from_numpy(wanted))


def test_what_is_drawn_stays_in_its_bounds():
    augment = RoomAugment(flip=0.25, rotate=5.0, shift=0.5)
    drawn = [augment.draw(generator(number)) for number in range(2000)]
    flips = torch.tensor([one.flipped for one in drawn]).double().mean(0)
    assert ((flips - 0.25).abs() < 0.04).all()
    angles = torch.tensor([one.angles for one in drawn]).rad2deg()
    shifts = torch.stack([one.shift for one in drawn])
    for values, bound in ((angles, 5.0), (shifts, 0.5)):
        assert (values.abs() <= bound).all()
        assert (values.abs().amax(0) > 0.95 * bound).all()
        assert (values.mean(0).abs() < 0.05 * bound).all()
    still = RoomAugment(0.0, 0.0, 0.0).draw(generator(1))
    points = torch.randn(5, 3)
    torch.testing.assert_close(still.points(points), points)
