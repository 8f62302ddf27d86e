"""The task of answering questions about rooms: what it sums up, keeps and shows."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from room_answers import ANSWERS, PROPOSALS, ROOM_OF, SCANS, WORDS, double, random_answers, random_batch
from room_tasks import Rooms, build, many, scored

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.files import UserError, from_json, to_json
from geo_lm4ve.indoor.ask.metrics import LOSSES
from geo_lm4ve.indoor.losses.rooms import room_losses
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option

# What it sums up


def test_options_build_and_have_the_vocabulary_for_outputs():
    for name, protocol in (("scanqa", "scanqa"), ("sqa3d", "sqa3d")):
        task = build(name)
        assert (task.outputs, task.classes) == (ANSWERS, WORDS)
        assert task.protocol() == {"protocol": protocol, "choice of the box": "as published"}


def test_the_loss_is_ten_times_the_weighted_sum():
    batch = random_batch()
    answers = random_answers(batch)
    loss = build().loss(answers, batch)
    parts = {name: loss.parts[f"loss_{name}"].item() for name in LOSSES}
    weights = {"vote": 1, "objectness": 0.5, "box": 1, **dict.fromkeys(LOSSES[3:], 0.1)}
    assert loss.total.item() == pytest.approx(10 * sum(weights[name] * parts[name] for name in LOSSES), rel=1e-5)
    assert loss.weight is None
    assert loss.total.requires_grad is False
    only = build(amplify=2.0, answer_weight=3.0, **{f"{name}_weight": 0.0 for name in LOSSES if name != "answer"})
    assert only.loss(answers, batch).total.item() == pytest.approx(6 * parts["answer"], rel=1e-5)
    rows = answers.answers.argmax(-1)
    hits = [batch.truth.answers[question, row].item() > 0 for question, row in enumerate(rows)]
    assert loss.parts["train_em_at_1"].item() == pytest.approx(sum(hits) / len(hits))


def test_a_half_weighted_pose_and_the_other_answer_loss_reach_the_losses():
    batch = random_batch()
    answers = random_answers(batch)
    task = build("sqa3d", position_weight=0.0, rotation_weight=2.0, answer_loss="ce")
    expected = room_losses(answers, batch, answer=task.config.answer_loss, position=0.0, rotation=2.0)
    found = task.losses(answers, batch)
    assert found.pose == expected.pose != room_losses(answers, batch).pose
    assert found.answer == expected.answer != room_losses(answers, batch).answer


def test_metrics_say_what_is_known():
    values, records = scored(build(), *many())
    assert values["unanswerable"] == 4
    assert values["targets"] == 4 * (len(ROOM_OF) - 1)
    assert 0 < values["em_at_1"] < values["em_at_10"] < 1
    assert 0 < values["acc_at_05"] < values["acc_at_025"] < 1
    assert {"map_at_025", "map_at_05", "acc_at_0.5m", "acc_at_30deg", "loss", "loss_vote"} <= values.keys()
    assert values["em_at_1"] == pytest.approx(np.mean([record["right"] for record in records]))
    overlaps = [record["overlap"] for record in records if record["overlap"] is not None]
    assert len(overlaps) == values["targets"]
    assert values["acc_at_05"] == pytest.approx(np.mean(np.array(overlaps) >= 0.5))


def test_the_loss_of_a_split_is_that_of_its_batches():
    pairs = many(2)
    task = build()
    values, _ = scored(task, *pairs)
    losses = [task.loss(answers, batch) for batch, answers in pairs]
    assert values["loss"] == pytest.approx(np.mean([loss.total.item() for loss in losses]), rel=1e-6)
    assert values["loss_box"] == pytest.approx(np.mean([loss.parts["loss_box"].item() for loss in losses]), rel=1e-6)


def test_what_is_not_known_has_no_score():
    batch = random_batch(truth=None, objects=None)
    values, records = scored(build(), (batch, random_answers(random_batch())))
    assert not [name for name in values if not name.startswith("loss")]
    assert not {"right", "right_answers"} & records[0].keys()
    assert records[0]["overlap"] is None
    said = replace(random_answers(random_batch()), references=None, poses=None)
    values, records = scored(build(), (random_batch(), said))
    assert not [name for name in values if name.startswith("acc")]
    assert not {"box", "overlap", "pose"} & records[0].keys()


def test_a_scan_counts_once_for_its_detection():
    (batch, answers), other = many(2)
    task = build()
    metrics = task.metrics()
    metrics.update(answers, batch)
    once = {name: value.clone() for name, value in metrics.state().items()}
    metrics.update(replace(answers), replace(batch, index=batch.index + 100, leading=()))
    for name in ("hits", "found", "objects", "scans"):
        assert torch.equal(metrics.state()[name], once[name]), name
    metrics.update(*reversed(other))
    assert metrics.state()["scans"] == 2 * SCANS
    metrics.update(answers, replace(batch, leading=(0, 2)))
    assert metrics.state()["scans"] == 2 * SCANS + 2


def test_true_boxes_as_proposals_are_said_and_have_no_detection_quality():
    batch = random_batch()
    answers = random_answers(batch)
    truth = torch.arange(PROPOSALS).expand(SCANS, -1) % 4 - 1
    task = build()
    values, records = scored(task, (batch, replace(answers, detection=replace(answers.detection, truth=truth))))
    assert task.protocol()["proposals"] == "gt"
    assert {record["proposals"] for record in records} == {"gt"}
    assert not [name for name in values if name.startswith("map")]
    scored(task, (batch, answers))
    assert task.protocol()["proposals"] == "gt and predicted"


def test_a_masked_proposal_wins_among_negative_scores_unless_choice_is_strict():
    batch = random_batch(points=torch.full_like(random_batch().points, 1.5))
    answers = random_answers(batch)
    found = answers.detection
    objectness = torch.zeros_like(found.objectness)
    objectness[..., 0], objectness[:, 4] = 9.0, torch.tensor([0.0, 9.0])
    found = replace(found, objectness=objectness, size_residuals=torch.zeros_like(found.size_residuals))
    near = torch.full_like(found.center, 1.5)
    answers = replace(answers, references=-1 - torch.rand(len(batch), PROPOSALS), detection=replace(found, center=near))
    boxes = answers.detection.boxes[answers.room_of]
    for strict, proposal in ((False, 0), (True, 4)):
        _, records = scored(build(strict_choice=strict), (batch, answers))
        assert [record["box"] for record in records] == boxes[:, proposal].double().tolist()


@pytest.mark.parametrize(("name", "missing"), [("scanqa", "targets"), ("sqa3d", "objects, poses")])
def test_what_nobody_knows_is_said_beside_the_score(name, missing):
    batch = random_batch()
    answers = random_answers(batch)
    task = build(name)
    truth = batch.truth
    if name == "scanqa":
        batch = replace(batch, truth=replace(truth, target=torch.full_like(truth.target, -1)))
    else:
        batch = replace(batch, objects=None, truth=replace(truth, poses=None, posed=None))
    scored(task, (batch, answers))
    assert task.protocol()["not known, not scored"] == missing
    scored(task, *many(1))
    assert "not known, not scored" not in task.protocol()


class ThreeBatches(Rooms):
    """A split of three batches, in order."""

    samples = 3 * len(ROOM_OF)

    def loader(self, split, **_):
        return self

    def __len__(self):
        return 3

    def batches(self, epoch, start=0):
        yield from (batch for batch, _ in many(3)[start:])


class Told(Model):
    """A model that says what it is told to, without any part."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    def train(self, mode=True):
        return torch.nn.Module.train(self, mode)

    def forward(self, batch):
        return next(answers for own, answers in many(3) if own.names == batch.names)


def test_the_engine_scores_a_split():
    from geo_lm4ve.engine.evaluate import evaluate_split
    from geo_lm4ve.engine.session import Session

    task, session = build(data=ThreeBatches()), Session(load_option("run", "default"))
    found = evaluate_split(session, Told(), task.data, task, "val", batch_size=len(ROOM_OF), seed=0)
    values, records = scored(build(), *many(3))
    assert found.records == records
    assert found.metrics == pytest.approx(values)


# What it keeps


def test_records_come_back_from_a_file():
    task = build()
    _, records = scored(task, *many(2))
    back = [from_json(to_json(record)) for record in records]
    assert back == records
    task.check_records(back)
    assert records[3]["right_answers"] == []
    assert records[3]["right"] is False
    assert records[0]["question"] == "question 0?"
    shares = [share for _, share in records[0]["top"]]
    assert shares == sorted(shares, reverse=True)


SPOILT = {
    "question_id": 3,
    "scan": None,
    "proposals": "some",
    "top": [["answer 0"]],
    "right_answers": ["nobody says so"],
    "box": [1.0] * 5,
    "pose": [0.0] * 6 + [math.nan],
    "overlap": "much",
    "question": 5,
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_record_that_is_spoilt_is_named(name):
    task = build()
    _, records = scored(task, *many(1))
    records[2] = {**records[2], name: SPOILT[name]}
    with pytest.raises(ValueError, match="question 2: "):
        task.check_records(records)


def test_right_has_to_agree_with_the_answers():
    task = build()
    _, records = scored(task, *many(1))
    records[0]["right"] = not records[0]["right"]
    with pytest.raises(ValueError, match="right does not say whether"):
        task.check_records(records)


def test_probabilities_are_those_that_the_answers_were_trained_with():
    batch = random_batch()
    answers = random_answers(batch)
    for kind, shares in (("bce", answers.answers.sigmoid()), ("ce", answers.answers.softmax(-1))):
        record = build(answer_loss=kind).records(answers, batch)[0]
        assert [share for _, share in record["top"]] == pytest.approx(shares[0].topk(10).values.tolist(), abs=1e-6)


def test_a_batch_in_double_precision_and_without_names():
    batch = random_batch(names=(), scans=())
    answers = random_answers(batch)
    answers = replace(double(answers), detection=double(answers.detection))
    values, records = scored(build(), (batch, answers))
    assert records[4]["question_id"] == "4"
    assert records[4]["scan"] == ""
    assert values["map_at_025"] >= 0


# Settings and the page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"vote_weight": -1.0}, "task.vote_weight=-1.0 must be a number from 0 on"),
        ({"amplify": math.inf}, "task.amplify=inf"),
        ({"rotation_weight": math.nan}, "task.rotation_weight=nan"),
        ({"top": 3}, "task.top=3 must be at least 10"),
    ],
)
def test_settings_that_cannot_be_meant(values, words):
    with pytest.raises(ConfigError, match=words):
        make("task", "answer_rooms", values)


def test_data_without_a_vocabulary_is_refused():
    with pytest.raises(UserError, match="three rooms has 0: choose data with questions"):
        build(data=Rooms(()))


def test_the_page_lists_questions_and_how_proposals_came(tmp_path):
    task = build(data=Rooms(title="<three> rooms"))
    pairs = many(1)
    batch, answers = pairs[0]
    batch = replace(batch, questions=("Where is the <b>chair</b>?", *batch.questions[1:]))
    values, records = scored(task, (batch, answers))
    facts = {
        "experiment": "asking", "block": "identity", "metrics": values, "samples": len(records), "seed": 0,
        "data": "<three> rooms", "protocol": {"split": "val", **task.protocol()}, "trained_on": {"data": "rooms"},
    }  # fmt: skip
    task.report(tmp_path, facts, records, task.data)
    page = (tmp_path / "report.html").read_text()
    assert "Where is the &lt;b&gt;chair&lt;/b&gt;?" in page
    assert "<b>chair</b>" not in page
    assert "Proposals: predicted." in page
    assert "7 of 7 questions" in page
    assert "em at 1" in page
