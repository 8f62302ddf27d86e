"""Non-maximum suppression of proposals, against a reference that works through sorted lists."""

from dataclasses import replace

import pytest
import torch
from room_answers import one_scan, random_answers, random_batch

from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.metrics.suppression import points_inside, suppress, surviving


def slow_suppress(boxes, scores, classes, candidates, overlap=0.25):
    left = sorted((row for row in range(len(boxes)) if candidates[row]), key=lambda row: -scores[row])
    kept = []
    while left:
        best, *left = left
        kept.append(best)
        left = [
            row
            for row in left
            if classes[row] != classes[best] or box_iou(boxes[row : row + 1], boxes[best : best + 1]) <= overlap
        ]
    return sorted(kept)


@pytest.mark.parametrize("seed", range(5))
def test_suppression_equals_a_slow_reference(seed):
    generator = torch.Generator().manual_seed(seed)
    boxes = torch.rand(3, 30, 6, generator=generator).double()
    boxes[..., 3:] += 0.3
    boxes[..., 3:] *= torch.where(torch.rand(3, 30, 3, generator=generator) < 0.2, -1, 1)
    scores = torch.rand(3, 30, generator=generator).double()
    classes = torch.randint(0, 3, (3, 30), generator=generator)
    candidates = torch.rand(3, 30, generator=generator) < 0.8
    found = suppress(boxes, scores, classes, candidates)
    for scan in range(3):
        expected = slow_suppress(boxes[scan], scores[scan], classes[scan], candidates[scan])
        assert found[scan].nonzero().flatten().tolist() == expected
        assert 0 < len(expected) < candidates[scan].sum()


def boxes_along(*places):
    """Unit boxes along x."""
    return torch.tensor([[[x, 0.0, 0, 1, 1, 1] for x in places]]).double()


def test_a_suppressed_box_suppresses_nothing():
    boxes, scores = boxes_along(0, 0.5, 1.0), torch.tensor([[0.9, 0.8, 0.7]]).double()
    every, one = torch.ones(1, 3, dtype=torch.bool), torch.zeros(1, 3, dtype=torch.int64)
    assert suppress(boxes, scores, one, every).tolist() == [[True, False, True]]
    assert suppress(boxes, scores, torch.tensor([[0, 1, 0]]), every).all()
    assert suppress(boxes, scores, one, torch.tensor([[True, True, False]])).tolist() == [[True, False, False]]
    assert suppress(boxes, scores.flip(1), one, every).tolist() == [[True, False, True]]


def test_of_equal_boxes_the_first_stays():
    found = suppress(boxes_along(0, 0), torch.ones(1, 2).double(), torch.zeros(1, 2).long(), torch.ones(1, 2).bool())
    assert found.tolist() == [[True, False]]


def test_points_are_counted_with_the_faces_and_whatever_the_sign_of_a_size():
    points = torch.tensor([[[0.5, 0, 0], [0.51, 0, 0], [0, 0, 0], [0, 0.5, -0.5]]])
    boxes = torch.tensor([[[0.0, 0, 0, 1, 1, 1], [0, 0, 0, -1, 1, 1], [3, 0, 0, 1, 1, 1]]]).double()
    assert points_inside(points, boxes).tolist() == [[3, 3, 0]]


def test_a_box_with_fewer_than_five_points_goes():
    found = one_scan(proposals=2, center=torch.tensor([[[0.0, 0, 0], [9, 9, 9]]]))
    points = torch.zeros(1, 9, 3)
    points[0, :5] = 9
    assert surviving(found, points).tolist() == [[False, True]]
    points[0, :4] = 0
    assert surviving(found, points).tolist() == [[True, False]]


def test_the_probability_of_an_object_decides_not_whether_it_is_one():
    objectness = torch.tensor([[[0.0, -2.0], [0.0, -1.0]]])
    found = one_scan(proposals=2, objectness=objectness)
    assert surviving(found, torch.zeros(1, 9, 3)).tolist() == [[False, True]]
    assert not found.is_object.any()


def test_true_boxes_stay():
    batch = random_batch()
    found = random_answers(batch).detection
    truth = torch.arange(found.center.shape[1]).expand(3, -1) % 7 - 1
    kept = surviving(replace(found, truth=truth), batch.points)
    assert torch.equal(kept, truth >= 0)
