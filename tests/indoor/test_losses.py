"""Losses of rooms: small cases by hand, a slow reference with loops, orders, half precision."""

import math
from dataclasses import replace

import pytest
import torch
from room_answers import (
    LOSSES,
    OBJECTS,
    PROPOSALS,
    ROOM_OF,
    one_scan,
    precise,
    random_answers,
    random_batch,
    said,
    values,
)
from slow_losses import slow_detection, slow_questions, slow_vote

from geo_lm4ve.indoor.batch import Truth
from geo_lm4ve.indoor.losses.matching import match_clusters
from geo_lm4ve.indoor.losses.proposals import center_loss, objectness_loss, size_loss
from geo_lm4ve.indoor.losses.questions import AnswerLoss, answer_loss, best_proposals, pose_loss, reference_loss
from geo_lm4ve.indoor.losses.rooms import room_losses
from geo_lm4ve.indoor.losses.voting import object_centers, vote_loss
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.mark.parametrize("seed", range(6))
def test_losses_equal_a_slow_reference(seed):
    batch, answers = precise(random_batch(seed), random_answers(random_batch(seed), seed + 50))
    if seed % 2:
        batch.objects.valid[2] = False
        batch.objects.instances[2] = -1
        batch.truth.target[torch.tensor(ROOM_OF) == 2] = -1
    expected = {"vote": slow_vote(batch, answers.detection), **slow_detection(batch, answers.detection)}
    expected |= slow_questions(batch, answers)
    assert values(room_losses(answers, batch)) == pytest.approx(expected, rel=1e-6)
    assert all(value > 0 for value in expected.values())


# By hand


def objects_at(*centers, sizes=1.0, classes=None, points=4):
    boxes = torch.tensor([[*center, *3 * (sizes,)] for center in centers])[None]
    valid = torch.ones(1, len(centers), dtype=torch.bool)
    kinds = torch.tensor([classes or [2] * len(centers)])
    return RoomObjects(boxes, kinds, torch.arange(len(centers))[None], valid, torch.full((1, points), -1))


def test_a_point_votes_for_the_middle_of_the_points_of_its_object():
    points = torch.tensor([[[0.0, 0, 0], [2, 4, 0], [2, 0, 6], [9, 9, 9]]])
    instances = torch.tensor([[1, 1, 1, -1]])
    centers = object_centers(points, instances, 3)
    assert centers.tolist() == [[[0, 0, 0], [1, 2, 3], [0, 0, 0]]]
    found = one_scan(seeds=points, votes=torch.tensor([[[1.0, 2, 3]] * 3 + [[0.0, 0, 0]]]))
    objects = replace(objects_at((0, 0, 0), (7, 7, 7), (0, 0, 0)), instances=instances)
    assert vote_loss(found, points, objects) == 0
    shifted = replace(found, votes=found.votes + torch.tensor([0.5, -0.25, 0]))
    assert vote_loss(shifted, points, objects) == 0.75


@pytest.mark.parametrize(
    ("far", "positive", "counted"), [(0.29, True, True), (0.45, False, False), (0.61, False, True)]
)
def test_the_grey_zone_is_not_counted(far, positive, counted):
    matching = match_clusters(torch.tensor([[[far, 0, 0]]]), objects_at((5, 0, 0), (0, 0, 0)))
    assert matching.assigned.item() == 1
    assert (matching.positive.item(), matching.counted.item()) == (positive, counted)


def test_padding_is_no_object_even_at_the_origin():
    objects = objects_at((5, 0, 0), (0, 0, 0))
    objects.valid[0, 1] = False
    matching = match_clusters(torch.zeros(1, 1, 3), objects)
    assert matching.assigned.item() == 0
    assert not matching.positive.item()


def test_objectness_weighs_objects_four_times():
    found = one_scan()
    near, far = (match_clusters(torch.tensor([[[x, 0, 0]]]), objects_at((0, 0, 0))) for x in (0.0, 2.0))
    assert objectness_loss(found, near).item() == pytest.approx(0.8 * math.log(2))
    assert objectness_loss(found, far).item() == pytest.approx(0.2 * math.log(2))


def test_centers_are_drawn_both_ways():
    objects = objects_at((0, 0, 0), (0, 3, 0))
    matching = match_clusters(torch.tensor([[[0.0, 0, 0], [9.0, 9, 9]]]), objects)
    found = one_scan(proposals=2, center=torch.tensor([[[0.0, 1, 0], [0, 5, 0]]]))
    assert center_loss(found, objects, matching).item() == pytest.approx(1 + (1 + 4) / 2)


def test_a_size_is_less_its_mean_and_in_units_of_it():
    objects = objects_at((0, 0, 0), sizes=3.0)
    residuals = torch.full((1, 1, 18, 3), 7.0)
    residuals[0, 0, 2] = torch.tensor([0.5, 1.0, 3.0])
    found = one_scan(size_residuals=residuals, mean_sizes=torch.full((18, 3), 2.0))
    matching = match_clusters(torch.zeros(1, 1, 3), objects)
    assert size_loss(found, objects, matching).item() == pytest.approx((0 + 0.125 + 2.0) / 3)


def test_the_reference_is_the_proposal_that_overlaps_most_and_the_first_where_none_does():
    found = one_scan(proposals=3, center=torch.tensor([[[9.0, 0, 0], [0.5, 0, 0], [0.2, 0, 0]]]))
    objects, rooms, target = objects_at((0, 0, 0), (5, 5, 5)), torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1])
    assert best_proposals(found, rooms, objects, target).tolist() == [2, 0]
    references = torch.log(torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]))
    expected = -(math.log(0.7) + math.log(0.5)) / 2
    assert reference_loss(references, found, rooms, objects, target).item() == pytest.approx(expected, rel=1e-6)


def test_answers_are_summed_over_the_vocabulary_and_averaged_over_answerable_questions():
    scores, targets = torch.zeros(3, 4), torch.tensor([[0, 0.3, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
    assert answer_loss(scores, targets).item() == pytest.approx(4 * math.log(2))
    scores = torch.log(torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.25] * 4, [0.5, 0.3, 0.1, 0.1]]))
    expected = -(math.log(0.4) + math.log(0.5)) / 2
    assert answer_loss(scores, targets, AnswerLoss.ce).item() == pytest.approx(expected)


def test_position_and_rotation_have_weights():
    poses, true = torch.zeros(2, 7), torch.tensor([[3.0, 0, 0, 0, 0, 0, 2], [50.0] * 7])
    posed = torch.tensor([True, False])
    assert pose_loss(poses, true, posed).item() == 3 + 1
    assert pose_loss(poses, true, posed, position=2, rotation=0.5).item() == 6 + 0.5


# Orders


def test_the_order_of_proposals_objects_and_points_does_not_matter():
    batch = random_batch(3)
    batch, answers = precise(batch, random_answers(batch, 4))
    expected = values(room_losses(answers, batch))
    generator = torch.Generator().manual_seed(0)
    found = answers.detection
    proposals = torch.randperm(PROPOSALS, generator=generator)
    mixed = {
        name: value[:, proposals]
        for name, value in vars(found).items()
        if value is not None and value.dim() > 2 and value.shape[1] == PROPOSALS
    }
    rows = torch.randperm(OBJECTS, generator=generator)
    objects = batch.objects
    place = torch.cat([rows.argsort(), torch.tensor([-1])])
    batch = replace(
        batch,
        objects=RoomObjects(
            objects.boxes[:, rows], objects.classes[:, rows], objects.ids[:, rows], objects.valid[:, rows],
            place[objects.instances],
        ),
        truth=replace(batch.truth, target=place[batch.truth.target]),
    )  # fmt: skip
    answers = replace(answers, references=answers.references[:, proposals], detection=replace(found, **mixed))
    assert values(room_losses(answers, batch)) == pytest.approx(expected, rel=1e-9)


def test_the_order_of_questions_does_not_matter():
    batch = random_batch(5)
    answers = random_answers(batch, 6)
    order = torch.tensor([6, 2, 0, 5, 4, 1, 3])
    truth = Truth(*(value[order] for value in vars(batch.truth).values()))
    mixed = replace(batch, room_of=tuple(ROOM_OF[row] for row in order), truth=truth)
    said = {name: getattr(answers, name)[order] for name in ("answers", "references", "classes", "poses", "room_of")}
    found, expected = values(room_losses(replace(answers, **said), mixed)), values(room_losses(answers, batch))
    assert found == pytest.approx(expected, rel=1e-5)


def test_half_precision_is_summed_in_float32():
    batch = random_batch()
    answers = random_answers(batch)
    rounded = {name: value.bfloat16() for name, value in said(answers).items()}
    found = room_losses(replace(answers, **rounded), batch)
    expected = room_losses(replace(answers, **{name: value.float() for name, value in rounded.items()}), batch)
    for name in LOSSES:
        assert getattr(found, name).dtype == torch.float32
        assert_equal_up_to_rounding(getattr(found, name), getattr(expected, name))
