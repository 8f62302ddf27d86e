"""``proposals=gt``: the proposals are the true boxes, and nobody can mistake the rest for objects."""

from dataclasses import fields, replace

import pytest
import torch
from room_questions import NAMES, questions, said, tiny

from geo_lm4ve.calls import InputError
from geo_lm4ve.testing import assert_equal_up_to_rounding

ALL = pytest.mark.parametrize("name", NAMES)


def answer(model, batch):
    with torch.no_grad():
        return model(batch)


@ALL
def test_boxes_and_classes_are_the_truth(name):
    model = tiny(name, proposals="gt")
    batch = questions(model)
    found, objects = answer(model, batch).detection, batch.objects
    assert torch.equal(found.is_object, objects.valid)
    assert torch.equal(found.truth, torch.arange(5).expand(3, -1).where(objects.valid, -1))
    assert_equal_up_to_rounding(found.boxes[objects.valid], objects.boxes[objects.valid])
    assert torch.equal(found.class_scores.argmax(-1), objects.classes)
    assert torch.equal(found.class_scores.sum(-1), torch.ones(3, 5))
    assert not objects.valid.all()


def test_predicted_boxes_say_that_they_are_not_the_truth():
    model = tiny()
    assert answer(model, questions(model)).detection.truth is None


@ALL
def test_weights_are_those_of_the_detector(name):
    predicted, true = tiny(name), tiny(name, proposals="gt")
    true.load_state_dict(predicted.state_dict())
    batch = questions(true)
    net = predicted.encoder.stages.detect.votenet
    votes = []
    net.voting.register_forward_hook(lambda _, given, made: votes.append(made))
    answer(predicted, batch)
    with torch.no_grad():
        features = net.proposals.aggregation.around(batch.objects.boxes[..., :3], votes[0].points, votes[0].features)
        expected = torch.nn.functional.gelu(true.encoder.stages.detect.object_linear(features))
        tokens = true.encoder.stages.detect(batch).select("objects")
    assert_equal_up_to_rounding(tokens.features, expected[list(batch.room_of)])


@ALL
def test_padding_of_objects_changes_nothing(name):
    model = tiny(name, proposals="gt")
    batch = questions(model)
    objects = batch.objects
    wider = {
        field.name: torch.nn.functional.pad(value, (0, 0, 0, 2) if value.dim() == 3 else (0, 2), value=-9)
        for field in fields(objects)
        if (value := getattr(objects, field.name)).shape[1] == 5
    }
    padded = replace(objects, **{**wider, "classes": wider["classes"].clamp(min=0)})
    padded = replace(padded, valid=torch.nn.functional.pad(objects.valid, (0, 2)))
    found, expected = (said(answer(model, replace(batch, objects=given))) for given in (padded, objects))
    for key, value in expected.items():
        assert_equal_up_to_rounding(found[key][:, :5] if key == "references" else found[key], value)


@ALL
def test_scans_without_objects_are_answered(name):
    model = tiny(name, proposals="gt")
    batch = questions(model)
    none = {field.name: getattr(batch.objects, field.name)[:, :0] for field in fields(batch.objects)}
    none["instances"] = torch.full_like(batch.objects.instances, -1)
    answers = answer(model, replace(batch, objects=replace(batch.objects, **none)))
    assert answers.answers.isfinite().all()
    assert not answers.detection.is_object.any()


def test_a_batch_that_does_not_know_its_objects_is_refused():
    model = tiny(proposals="gt")
    with pytest.raises(InputError, match=r"has no objects: give a RoomBatch with objects, or build .*=predicted"):
        model(replace(questions(model), objects=None))


def test_gradients_reach_the_votes():
    model = tiny(proposals="gt").train()
    model(questions(model)).answers.square().sum().backward()
    assert model.encoder.stages.detect.votenet.voting.out.weight.grad[:3].any()
