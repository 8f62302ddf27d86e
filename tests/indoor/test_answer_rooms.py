"""The task of answering questions about rooms: what it sums up, keeps, writes, and what the evaluators make of that."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from room_answers import ANSWERS, PROPOSALS, ROOM_OF, SCANS, WORDS, double, random_answers, random_batch
from scipy.spatial.transform import Rotation

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.files import UserError, from_json, to_json
from geo_lm4ve.indoor.ask.metrics import LOSSES
from geo_lm4ve.indoor.ask.places import in_annotations
from geo_lm4ve.indoor.losses.rooms import room_losses
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataInfo, DataSource
from geo_lm4ve.parts.scorer import main

TURN = Rotation.from_euler("z", 25, degrees=True)
CENTER = np.array([1.0, -2.0, 0.5])


class Rooms(DataSource):
    """A data set that only knows its vocabulary."""

    def __init__(self, words=WORDS, title="three rooms"):
        self.info = DataInfo(title, tuple(words), {"val": len(ROOM_OF)}, synthetic=True)

    def loader(self, split, **_):
        raise AssertionError(f"nobody reads {split}")


class Placed(Rooms):
    """One that also knows how its scans lie: turned by 25 degrees and moved."""

    def frame(self, scan):
        alignment = np.eye(4)
        alignment[:3, :3], alignment[:3, 3] = TURN.as_matrix(), [3.0, 1.0, 0.25]
        return alignment, CENTER + int(scan[5:9])


def build(name="scanqa", data=None, **values):
    return load_option("task", name, values).build(data or Rooms())


def scored(task, *pairs):
    """Metrics over batches, and the records, in two accumulators that are added up."""
    parts, records = [], []
    for batch, answers in pairs:
        metrics = task.metrics()
        metrics.update(answers, batch)
        parts.append(metrics.state())
        records += task.records(answers, batch)
    whole = {name: sum(part[name] for part in parts) for name in parts[0]}
    return task.metrics().compute(whole), records


def pointing(batch, answers):
    """Every third answer is right, and every other one points at about the right box."""
    scores = answers.answers.clone()
    for question in range(0, len(batch), 3):
        scores[question, batch.truth.answers[question].argmax()] += 9
    found, objects = answers.detection, batch.objects
    residuals, center = found.size_residuals.clone(), found.center.clone()
    references = answers.references.clone()
    for question in range(0, len(batch), 2):
        scan, row, proposal = ROOM_OF[question], int(batch.truth.target[question].clamp(min=0)), question
        box = objects.boxes[scan, row]
        size = found.mean_sizes[found.size_scores[scan, proposal].argmax()]
        residuals[scan, proposal, found.size_scores[scan, proposal].argmax()] = box[3:] / size - 1
        center[scan, proposal] = box[:3] + 0.12 * question * box[3:] * torch.tensor([1.0, 0, 0])
        found.objectness[scan, proposal] = torch.tensor([0.0, 9.0])
        references[question, proposal] = 9
    return replace(
        answers, answers=scores, references=references,
        detection=replace(found, center=center, size_residuals=residuals),
    )  # fmt: skip


def many(count=4):
    """Batches of one split, with what is said to them."""
    pairs = []
    for seed in range(count):
        batch = random_batch(seed)
        batch = replace(
            batch,
            index=batch.index + seed * len(batch),
            names=tuple(f"val-{seed}-{number}" for number in range(len(batch))),
            scans=tuple(f"scene{seed * SCANS + scan:04d}_00" for scan in range(SCANS)),
        )
        pairs.append((batch, pointing(batch, random_answers(batch, seed + 20))))
    return pairs


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
    metrics.update(replace(answers), replace(batch, index=batch.index + 100))
    for name in ("hits", "found", "objects", "scans"):
        assert torch.equal(metrics.state()[name], once[name]), name
    metrics.update(*reversed(other))
    assert metrics.state()["scans"] == 2 * SCANS


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


# What the evaluators make of its files


def evaluated(tmp_path, predictions, data, protocol, *more):
    scores = tmp_path / "scores.json"
    arguments = ["--predictions", predictions, "--data", data, "--protocol", protocol, "--out", scores, *more]
    if protocol == "scanqa":
        arguments += ["--without", "METEOR", "SPICE", "F-value"]
    assert main([str(one) for one in arguments]) == 0
    return from_json(scores.read_text())["metrics"]


def write(path, value):
    path.write_text(json.dumps(value))
    return path


def asked(pairs):
    """Question by question: id, scan, right answers (some outside the vocabulary), target, pose."""
    for batch, _ in pairs:
        for row, name in enumerate(batch.names):
            right = [WORDS[answer] for answer in batch.truth.answers[row].nonzero().flatten().tolist()]
            yield (
                name, batch.scans[batch.room_of[row]], right or ["an answer of nobody"], int(batch.truth.target[row]),
                batch.truth.poses[row].double().tolist(),
            )  # fmt: skip


def results(split="val"):
    return {"protocol": {"split": split}}


def test_the_evaluator_of_scanqa_finds_the_same_scores(tmp_path):
    pairs = many(6)
    for batch, _ in pairs:
        batch.truth.target.clamp_(min=0)  # the annotations of ScanQA name an object for every question
    task = build()
    values, records = scored(task, *pairs)
    (path,) = task.files(tmp_path, results(), records)
    assert path.name == "pred.val.json"
    rows = [
        {"scene_id": scan, "question_id": name, "question": "Where?", "answers": right, "object_ids": [target],
         "object_names": ["chair"]}
        for name, scan, right, target, _ in asked(pairs)
    ]  # fmt: skip
    boxes = {scan: {"locs": own.tolist()} for batch, _ in pairs for scan, own in zip(batch.scans, batch.objects.boxes)}
    found = evaluated(
        tmp_path, path, write(tmp_path / "val.json", rows), "scanqa", "--boxes", write(tmp_path / "boxes.json", boxes)
    )
    for name, own in (("EM@1", "em_at_1"), ("EM@10", "em_at_10"), ("Acc@0.25", "acc_at_025"), ("Acc@0.5", "acc_at_05")):
        assert found[name] == pytest.approx(100 * values[own]), name
        assert 0 < found[name] < 100


def test_the_submission_has_the_official_layout(tmp_path):
    task = build()
    _, records = scored(task, *many(1))
    (path,) = task.files(tmp_path, results("test_w_obj"), records)
    assert path.name == "pred.test_w_obj.json"
    rows = json.loads(path.read_text())
    assert [list(row) for row in rows] == [["scene_id", "question_id", "answer_top10", "bbox"]] * len(ROOM_OF)
    assert {len(row["answer_top10"]) for row in rows} == {10}
    assert np.shape(rows[0]["bbox"]) == (8, 3)
    assert rows[1]["scene_id"] == "scene0000_00"


def standing(pairs):
    """Poses of askers on the floor, and guesses nearby, turned about z only."""
    generator = np.random.default_rng(0)
    for batch, answers in pairs:
        for poses in (batch.truth.poses, answers.poses):
            angles = generator.uniform(-25, 25, len(poses))
            poses[:, :2] = torch.from_numpy(generator.normal(0, 0.5, (len(poses), 2)))
            poses[:, 3:] = torch.from_numpy(Rotation.from_euler("z", angles[:, None], degrees=True).as_quat())
        answers.poses[:, 3:] *= -3  # a quaternion is a turn whatever its length and sign
        batch.truth.posed[:] = True


def test_the_evaluator_of_sqa3d_finds_the_same_scores(tmp_path):
    pairs = many(6)
    standing(pairs)
    task = build("sqa3d", Placed())
    values, records = scored(task, *pairs)
    (path,) = task.files(tmp_path, results(), records)
    annotations, questions = [], []
    for name, scan, right, _, pose in asked(pairs):
        own = in_annotations(pose, *Placed().frame(scan))
        rotation = dict(zip(("_x", "_y", "_z", "_w"), own[3:]))
        annotations.append(
            {"scene_id": scan, "question_id": name, "answers": [{"answer": one} for one in right],
             "position": dict(zip("xyz", own[:3])), "rotation": rotation}
        )  # fmt: skip
        questions.append({"scene_id": scan, "question_id": name, "question": "What?", "situation": "I stand."})
    write(tmp_path / "v1_balanced_questions_val_scannetv2.json", {"questions": questions})
    data = write(tmp_path / "v1_balanced_sqa_annotations_val_scannetv2.json", {"annotations": annotations})
    found = evaluated(tmp_path, path, data, "sqa3d")
    found |= evaluated(tmp_path, path, data, "sqa3d:localisation")
    pairs = {"EM@1": "em_at_1", "EM@10": "em_at_10", "Acc@0.5m": "acc_at_0.5m", "Acc@1m": "acc_at_1m"}
    for name, own in {**pairs, "Acc@15°": "acc_at_15deg", "Acc@30°": "acc_at_30deg"}.items():
        assert found[name] == pytest.approx(100 * values[own]), name
        assert 0 < found[name] < 100


def test_poses_are_left_out_where_nobody_knows_the_frame(tmp_path, capsys):
    task = build("sqa3d")
    _, records = scored(task, *many(1))
    (path,) = task.files(tmp_path, results(), records)
    assert list(json.loads(path.read_text())[0]) == ["question_id", "scene_id", "answer_top10"]
    said = "three rooms does not say how its scans lie in the annotations: predicted places are left out"
    assert said in "".join(capsys.readouterr())


def test_a_pose_goes_back_the_way_that_sqa3d_brings_it():
    alignment, center = Placed().frame("scene0007_00")
    position, turn = np.array([0.3, -1.0, 2.0]), Rotation.from_euler("xyz", [20, -40, 70], degrees=True)
    world = alignment[:3, :3] @ (position + center) + alignment[:3, 3]
    own = (Rotation.from_matrix(alignment[:3, :3]) * turn).as_quat()
    found = in_annotations([*world, *(5 * own)], alignment, center)
    assert found[:3] == pytest.approx(position)
    assert (Rotation.from_quat(found[3:]) * turn.inv()).magnitude() == pytest.approx(0, abs=1e-9)


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
