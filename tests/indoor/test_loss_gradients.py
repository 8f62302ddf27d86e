"""Gradients of the losses of rooms, and what is off where something is not known."""

import math
from dataclasses import replace

import pytest
import torch
from room_answers import (
    LOSSES,
    PROPOSALS,
    ROOM_OF,
    SCANS,
    leaves,
    precise,
    random_answers,
    random_batch,
    said,
    values,
)

from geo_lm4ve.indoor.batch import Truth
from geo_lm4ve.indoor.losses.rooms import room_losses
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.testing import assert_settled_on_host

OF_DETECTION, OF_TARGETS = ("vote", "objectness", "box", "semantic"), ("reference", "language")
WITHOUT = {"seeds", "clusters", "mean_sizes", "heading_scores"}
"""Clusters are only compared, and one heading has always the probability 1."""


def test_gradients_reach_everything_that_is_predicted():
    batch = random_batch()
    answers, own, found = leaves(random_answers(batch))
    losses = room_losses(answers, batch)
    sum(getattr(losses, name) for name in LOSSES).backward()
    for name, value in {**own, **found}.items():
        if name not in WITHOUT:
            assert value.grad.isfinite().all(), name
            assert value.grad.any(), name


def test_gradients_are_those_of_differences():
    batch = random_batch(2)
    batch, answers = precise(batch, random_answers(batch, 3))
    _, own, found = leaves(answers)
    names = [name for name in (*own, *found) if name not in WITHOUT]
    inputs = [{**own, **found}[name] for name in names]

    def total(*changed):
        given = dict(zip(names, changed))
        detection = replace(answers.detection, **{name: given[name] for name in found if name in given})
        whole = replace(answers, detection=detection, **{name: given[name] for name in own if name in given})
        losses = room_losses(whole, batch)
        return sum(getattr(losses, name) for name in LOSSES)

    assert torch.autograd.gradcheck(total, inputs, fast_mode=True)


def test_the_other_scans_and_questions_get_no_gradient():
    batch = random_batch()
    batch.objects.valid[1] = False
    batch.objects.instances[1] = -1
    batch.truth.target[torch.tensor(ROOM_OF) == 1] = -1
    answers, own, found = leaves(random_answers(batch))
    losses = room_losses(answers, batch)
    sum(getattr(losses, name) for name in LOSSES).backward()
    for name in ("votes", "objectness", "center", "size_scores", "class_scores"):
        assert not found[name].grad[1].any(), name
        assert found[name].grad[0].any(), name
    assert not own["references"].grad[[2, 5]].any()
    assert not own["classes"].grad[[2, 5]].any()
    assert own["answers"].grad[[2, 5]].any()
    assert not own["answers"].grad[3].any()
    assert not own["poses"].grad[4].any()


# What is not known

NOT_KNOWN = {
    "no objects": ({"objects": None}, (*OF_DETECTION, *OF_TARGETS)),
    "no truth": ({"truth": None}, (*OF_TARGETS, "answer", "pose")),
}


def off(batch, answers, names):
    """Asserts that exactly these losses are 0, and that all can be differentiated."""
    answers, own, found = leaves(answers)
    losses = room_losses(answers, batch)
    assert {name for name, value in values(losses).items() if value == 0} == set(names)
    assert all(math.isfinite(value) for value in values(losses).values())
    sum(getattr(losses, name) for name in LOSSES).backward()
    assert all(value.grad is None or value.grad.isfinite().all() for value in {**own, **found}.values())
    assert own["answers"].grad is not None


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_what_is_not_known_switches_its_losses_off(case):
    changes, names = NOT_KNOWN[case]
    off(random_batch(**changes), random_answers(random_batch()), names)


def test_no_room_for_an_object_is_as_no_objects():
    batch = random_batch()
    none = RoomObjects(
        *(value[:, :0] for value in list(vars(batch.objects).values())[:4]), batch.objects.instances - 99
    )
    off(replace(batch, objects=none), random_answers(batch), (*OF_DETECTION, *OF_TARGETS))


def test_scans_that_have_no_object_at_all():
    batch = random_batch()
    batch.objects.valid[:] = False
    batch.objects.instances[:] = -1
    batch.truth.target[:] = -1
    off(batch, random_answers(batch), (*OF_DETECTION, *OF_TARGETS))


def test_questions_without_answer_target_or_pose():
    batch = random_batch()
    batch.truth.answers[:], batch.truth.target[:], batch.truth.posed[:] = 0, -1, False
    off(batch, random_answers(batch), (*OF_TARGETS, "answer", "pose"))


def test_a_model_that_says_only_answers():
    batch = random_batch()
    answers = replace(random_answers(batch), references=None, classes=None, poses=None)
    off(batch, answers, (*OF_TARGETS, "pose"))


def test_data_without_poses():
    batch = random_batch()
    truth = Truth(batch.truth.answers, batch.truth.target)
    off(replace(batch, truth=truth), random_answers(batch), ("pose",))


def test_of_true_boxes_as_proposals_only_the_votes_are_trained():
    batch = random_batch()
    answers = random_answers(batch)
    truth = torch.zeros(SCANS, PROPOSALS, dtype=torch.int64)
    off(batch, replace(answers, detection=replace(answers.detection, truth=truth)), OF_DETECTION[1:])


# Where it runs


class Saying(torch.nn.Module):
    """A model that says the same to everything."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, _batch):
        detection = replace(
            self.answers.detection, **{n: v + self.shift for n, v in said(self.answers.detection).items()}
        )
        return replace(self.answers, detection=detection, **{n: v + self.shift for n, v in said(self.answers).items()})


def test_a_step_asks_no_tensor_for_a_value():
    batch = random_batch()

    def total(answers, batch):
        losses = room_losses(answers, batch)
        return sum(getattr(losses, name) for name in LOSSES)

    assert_settled_on_host(Saying(random_answers(batch)), batch, total)
