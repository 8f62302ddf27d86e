"""Overlap of boxes in space."""

from __future__ import annotations

import pytest
import torch

from geo_lm4ve.geometry.boxes import box_corners, box_iou, box_of_corners


def boxes(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_known_overlaps():
    two = [0, 0, 0, 2, 2, 2]
    other = boxes([0, 0, 0, 1, 1, 1], [1, 0, 0, 2, 2, 2], [5, 0, 0, 2, 2, 2], two)
    assert box_iou(boxes(two), other) == pytest.approx([1 / (8 + 1e-8), 4 / (12 + 1e-8), 0, 8 / (8 + 1e-8)], abs=1e-15)


def test_overlap_is_symmetric_and_bounded():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.rand(2, 200, 6, generator=generator, dtype=torch.float64)
    overlap = box_iou(one, other)
    assert torch.equal(overlap, box_iou(other, one))
    assert ((overlap >= 0) & (overlap <= 1)).all()
    assert (overlap > 0).any()


def test_the_sign_of_a_size_does_not_matter_and_boxes_without_volume_overlap_nothing():
    assert box_iou(boxes([0, 0, 0, -2, 2, 2]), boxes([0, 0, 0, 2, 2, -2])) == pytest.approx(1)
    assert box_iou(boxes([0, 0, 0, 0, 0, 0]), boxes([0, 0, 0, 0, 0, 0])).tolist() == [0]


def test_corners_and_back():
    generator = torch.Generator().manual_seed(1)
    some = torch.rand(7, 6, generator=generator, dtype=torch.float64)
    corners = box_corners(some)
    assert corners.shape == (7, 8, 3)
    torch.testing.assert_close(box_of_corners(corners[:, torch.randperm(8, generator=generator)]), some)
    first = box_corners(boxes([0, 0, 0, 2, 4, 6]))[0]
    assert first[:2].tolist() == [[1, 2, 3], [1, -2, 3]]
