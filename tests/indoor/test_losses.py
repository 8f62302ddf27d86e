"""Losses of rooms: small cases by hand, a slow reference with loops, gradients, orders, and what is not known."""

import math
from dataclasses import fields, replace

import pytest
import torch
from room_answers import OBJECTS, PROPOSALS, ROOM_OF, SCANS, double, one_scan, random_answers, random_batch

from geo_lm4ve.indoor.batch import Truth
from geo_lm4ve.indoor.losses.matching import match_clusters
from geo_lm4ve.indoor.losses.proposals import center_loss, objectness_loss, size_loss
from geo_lm4ve.indoor.losses.questions import AnswerLoss, answer_loss, best_proposals, pose_loss, reference_loss
from geo_lm4ve.indoor.losses.rooms import RoomLosses, room_losses
from geo_lm4ve.indoor.losses.voting import object_centers, vote_loss
from geo_lm4ve.indoor.objects import RoomObjects
from geo_lm4ve.testing import assert_equal_up_to_rounding, assert_settled_on_host

NAMES = tuple(field.name for field in fields(RoomLosses))
OF_DETECTION, OF_TARGETS = ("vote", "objectness", "box", "semantic"), ("reference", "language")


def precise(batch, answers):
    """The same in float64."""
    batch = replace(double(batch), objects=double(batch.objects), truth=double(batch.truth))
    return batch, replace(double(answers), detection=double(answers.detection))


def values(losses):
    return {name: getattr(losses, name).item() for name in NAMES}


# A slow reference, in plain numbers


def log_softmax(row):
    top = max(row)
    whole = top + math.log(sum(math.exp(value - top) for value in row))
    return [value - whole for value in row]


def huber(error):
    return error * error / 2 if abs(error) < 1 else abs(error) - 0.5


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else 0.0


def slow_vote(batch, detection):
    errors = []
    for scan in range(SCANS):
        for seed, point in enumerate(detection.seed_indices[scan].tolist()):
            if (row := int(batch.objects.instances[scan, point])) >= 0:
                own = batch.points[scan][batch.objects.instances[scan] == row]
                middle = (own.min(0).values + own.max(0).values) / 2
                errors.append(sum(abs(float(a - b)) for a, b in zip(detection.votes[scan, seed], middle)))
    return mean(errors)


def squared(one, other):
    return sum(float(a - b) ** 2 for a, b in zip(one, other))


def slow_detection(batch, detection):
    objects, found = batch.objects, {name: [] for name in ("objectness", "heading", "to", "size", "classes", "sem")}
    back, weights = [], []
    for scan in range(SCANS):
        rows = [row for row in range(OBJECTS) if objects.valid[scan, row]]
        if not rows:
            continue
        for proposal in range(PROPOSALS):
            distances = {row: squared(detection.clusters[scan, proposal], objects.boxes[scan, row, :3]) for row in rows}
            own = min(rows, key=distances.get)
            distance = math.sqrt(distances[own] + 1e-6)
            if 0.3 <= distance <= 0.6:
                continue
            near = distance < 0.3
            score = log_softmax(detection.objectness[scan, proposal].tolist())[int(near)]
            found["objectness"].append(-score * (0.8 if near else 0.2))
            weights.append(1)
            if not near:
                continue
            label = int(objects.classes[scan, own])
            center = detection.center[scan, proposal]
            found["to"].append(min(squared(center, objects.boxes[scan, row, :3]) for row in rows))
            found["heading"].append(huber(float(detection.heading_residuals[scan, proposal, 0])))
            found["classes"].append(-log_softmax(detection.size_scores[scan, proposal].tolist())[label])
            found["sem"].append(-log_softmax(detection.class_scores[scan, proposal].tolist())[label])
            wanted = objects.boxes[scan, own, 3:] / detection.mean_sizes[label] - 1
            error = detection.size_residuals[scan, proposal, label] - wanted
            found["size"].append(mean(huber(float(side)) for side in error))
        back += [
            min(squared(center, objects.boxes[scan, row, :3]) for center in detection.center[scan]) for row in rows
        ]
    box = mean(found["to"]) + mean(back) + mean(found["heading"]) + 0.1 * mean(found["classes"]) + mean(found["size"])
    return {"objectness": mean(found["objectness"]), "box": box, "semantic": mean(found["sem"])}


def slow_overlap(one, other):
    shared = 1.0
    for axis in range(3):
        low = max(one[axis] - abs(one[axis + 3]) / 2, other[axis] - abs(other[axis + 3]) / 2)
        high = min(one[axis] + abs(one[axis + 3]) / 2, other[axis] + abs(other[axis + 3]) / 2)
        shared *= max(high - low, 0.0)
    return shared / (abs(math.prod(one[3:])) + abs(math.prod(other[3:])) - shared + 1e-8)


def slow_questions(batch, answers):
    truth, found = batch.truth, {name: [] for name in ("reference", "language", "answer", "pose")}
    for question, scan in enumerate(ROOM_OF):
        if (row := int(truth.target[question])) >= 0:
            target = batch.objects.boxes[scan, row].tolist()
            overlaps = [slow_overlap(box, target) for box in answers.detection.boxes[scan].tolist()]
            scores = log_softmax(answers.references[question].tolist())
            found["reference"].append(-math.log(math.exp(scores[overlaps.index(max(overlaps))]) + 1e-8))
            label = int(batch.objects.classes[scan, row])
            found["language"].append(-log_softmax(answers.classes[question].tolist())[label])
        if any(truth.answers[question] > 0):
            pairs = zip(answers.answers[question].tolist(), truth.answers[question].tolist())
            found["answer"].append(
                sum(
                    -wanted * math.log(1 / (1 + math.exp(-score)))
                    - (1 - wanted) * math.log(1 - 1 / (1 + math.exp(-score)))
                    for score, wanted in pairs
                )
            )
        if truth.posed[question]:
            error = (answers.poses[question] - truth.poses[question]).tolist()
            found["pose"].append(mean(one**2 for one in error[:3]) + mean(one**2 for one in error[3:]))
    return {name: mean(numbers) for name, numbers in found.items()}


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


# Gradients


def leaves(answers):
    """The same answers with a gradient at every fraction, and these by name."""
    own = {name: value.requires_grad_() for name, value in said(answers).items()}
    found = {name: value.requires_grad_() for name, value in said(answers.detection).items()}
    return replace(answers, detection=answers.detection), own, found


def said(values):
    return {n: v for n, v in vars(values).items() if isinstance(v, torch.Tensor) and v.is_floating_point()}


WITHOUT = {"seeds", "clusters", "mean_sizes", "heading_scores"}
"""Clusters are only compared, and one heading has always the probability 1."""


def test_gradients_reach_everything_that_is_predicted():
    batch = random_batch()
    answers, own, found = leaves(random_answers(batch))
    losses = room_losses(answers, batch)
    sum(getattr(losses, name) for name in NAMES).backward()
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
        return sum(getattr(losses, name) for name in NAMES)

    assert torch.autograd.gradcheck(total, inputs, fast_mode=True)


def test_the_other_scans_and_questions_get_no_gradient():
    batch = random_batch()
    batch.objects.valid[1] = False
    batch.objects.instances[1] = -1
    batch.truth.target[torch.tensor(ROOM_OF) == 1] = -1
    answers, own, found = leaves(random_answers(batch))
    losses = room_losses(answers, batch)
    sum(getattr(losses, name) for name in NAMES).backward()
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
    sum(getattr(losses, name) for name in NAMES).backward()
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


def test_true_boxes_as_proposals_train_no_detector():
    batch = random_batch()
    answers = random_answers(batch)
    truth = torch.zeros(SCANS, PROPOSALS, dtype=torch.int64)
    off(batch, replace(answers, detection=replace(answers.detection, truth=truth)), OF_DETECTION)


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
        return sum(getattr(losses, name) for name in NAMES)

    assert_settled_on_host(Saying(random_answers(batch)), batch, total)


def test_half_precision_is_summed_in_float32():
    batch = random_batch()
    answers = random_answers(batch)
    rounded = {name: value.bfloat16() for name, value in said(answers).items()}
    found = room_losses(replace(answers, **rounded), batch)
    expected = room_losses(replace(answers, **{name: value.float() for name, value in rounded.items()}), batch)
    for name in NAMES:
        assert getattr(found, name).dtype == torch.float32
        assert_equal_up_to_rounding(getattr(found, name), getattr(expected, name))
