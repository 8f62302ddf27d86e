import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from room_oracle import ROOM, SITUATED, Oracle

from geo_lm4ve.answering.baselines import predict
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.answering.questions import Question, QuestionSet, scanqa_type, sqa3d_type
from geo_lm4ve.indoor.synthetic.furnish import inventory
from geo_lm4ve.indoor.synthetic.kinds import KINDS
from geo_lm4ve.indoor.synthetic.palette import COLORS
from geo_lm4ve.indoor.synthetic.rooms import RoomsRecipe, make_room
from geo_lm4ve.indoor.synthetic.situated_questions import whether
from geo_lm4ve.indoor.synthetic.write import write_rooms

SMALL = RoomsRecipe(train=5, val=1, test=1, seed=3, vertices=3500, questions=24)
BLIND = RoomsRecipe(train=24, val=10, test=0, questions=36)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    write_rooms(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def oracles(root):
    return {folder.name: Oracle(folder) for folder in sorted((root / "scans").iterdir())}


def situated(root, split):
    return read_sqa3d(root / "qa" / f"v1_balanced_sqa_annotations_{split}_scannetv2.json").questions


def test_somebody_who_reads_the_scans_answers_all_questions_about_rooms(root, oracles):
    asked = [
        one for split in ("train", "val") for one in read_scanqa(root / "qa" / f"ScanQA_v1.0_{split}.json").questions
    ]
    assert len(asked) == 6 * 24
    for one in asked:
        assert set(one.answers) == oracles[one.scene].answer(one.text), (one.scene, one.text)


def test_somebody_who_reads_the_scans_answers_all_questions_from_places(root, oracles):
    asked = [one for split in ("train", "val", "test") for one in situated(root, split)]
    assert len(asked) > 7 * 20
    for one in asked:
        assert one.answers == (oracles[one.scene].answer_from(one.text, one.pose),), (
            one.scene,
            one.situation,
            one.text,
        )


def test_no_answer_hangs_on_a_step_or_a_glance(root, oracles):
    half = np.deg2rad(7) / 2
    for one in situated(root, "val"):
        (x, y, z), (_, _, turn, w) = one.pose[:3], one.pose[3:]
        turned = (0, 0, turn * np.cos(half) + w * np.sin(half), w * np.cos(half) - turn * np.sin(half))
        assert one.answers == (oracles[one.scene].answer_from(one.text, (x, y, z, *turned)),), one.text


def test_objects_of_a_question_are_those_that_answer_it(root, oracles):
    rows = json.loads((root / "qa" / "ScanQA_v1.0_train.json").read_text())
    for row in rows:
        objects = oracles[row["scene_id"]].objects
        assert [name.replace("_", " ") for name in row["object_names"]] == [
            objects[key].name for key in row["object_ids"]
        ]
        if row["question"].startswith(("What color", "What is the color")):
            assert [objects[key].color for key in row["object_ids"]] == row["answers"]
        if row["question"].startswith("How many"):
            assert row["answers"] == [str(len(row["object_ids"]))]
    assert not any(row["object_ids"] for row in rows if row["answers"] == ["no"])
    assert all(row["object_ids"] for row in rows if row["answers"] != ["no"])


def test_the_asker_is_where_the_situation_says(root, oracles):
    for one in situated(root, "train"):
        by, facing = re.search(
            r"(?:by|on|next to) the (.+?),? (?:and )?(?:facing|I look at|look at) the (.+)\.", one.situation
        ).groups()
        oracle = oracles[one.scene]
        place = oracle.aligned(np.array(one.pose[:3]) + (oracle.raw.max(0) + oracle.raw.min(0)) / 2)
        assert oracle.one(by).gap(place, place) < 0.5
        assert 1.1 < place[2] < 1.7
        assert oracle.answer_from(f"In which direction is the {facing}?", one.pose) == "forward"


def test_test_splits_of_scanqa_withhold_what_is_official(root):
    for row in json.loads((root / "qa" / "ScanQA_v1.0_test_w_obj.json").read_text()):
        assert set(row) == {"scene_id", "question_id", "question"}


def test_the_answers_of_all_splits_are_listed(root):
    answers = {answer for split in ("train", "val", "test") for one in situated(root, split) for answer in one.answers}
    assert read_vocabulary(root / "qa" / "answer_dict.json") == answers


@pytest.fixture(scope="module")
def asked():
    """Layout -> split -> questions, without scans."""
    sets = defaultdict(dict)
    for split, count in BLIND.counts.items():
        made = [make_room(BLIND, split, number) for number in range(count)]
        about = [(one, room.name, "") for room in made for one in room.asked]
        from_there = [(one, room.name, place.texts[0]) for room in made for place, one in room.situated]
        for layout, type_of, rows in (("scanqa", scanqa_type, about), ("sqa3d", sqa3d_type, from_there)):
            questions = [
                Question(f"{split}-{row}", scan, one.text, one.answers, words)
                for row, (one, scan, words) in enumerate(rows)
            ]
            sets[layout][split] = QuestionSet(Path(split), questions, type_of)
    return sets


@pytest.mark.parametrize(("layout", "templates"), [("scanqa", ROOM), ("sqa3d", SITUATED)])
def test_all_templates_occur(asked, layout, templates):
    texts = [one.text for one in asked[layout]["train"].questions]
    found = Counter(next(form for form in templates if re.fullmatch(form, text)) for text in texts)
    assert min(found[form] for form in templates) >= 5, found


def test_all_types_occur(asked):
    assert set(asked["scanqa"]["train"].types()) == {"Place", "Number", "Color", "Object nature", "Object", "Other"}
    assert set(asked["sqa3d"]["train"].types()) == {"what", "is", "how", "can", "which", "others"}


@pytest.mark.parametrize(("layout", "bound"), [("scanqa", 0.36), ("sqa3d", 0.38)])
@pytest.mark.parametrize("baseline", ["majority", "first-words", "classifier"])
def test_the_question_alone_says_little(asked, layout, bound, baseline):
    splits = asked[layout]
    guesses = predict(baseline, splits["train"], splits["val"]).guesses
    right = [guesses[one.id][0] in one.answers for one in splits["val"].questions]
    assert np.mean(right) < bound


def test_answers_are_spread(asked):
    questions = asked["scanqa"]["train"].questions
    colors = Counter(one.answers[0] for one in questions if one.answers[0] in COLORS)
    assert set(colors) == set(COLORS)
    assert max(colors.values()) < 2.2 * colors.total() / len(COLORS)
    numbers = Counter(one.answers[0] for one in questions if one.text.startswith("How many"))
    assert max(numbers.values()) < 0.45 * numbers.total()
    for words in ("yes", "no"), ("left", "right"):
        first, second = (sum(one.answers == (word,) for one in questions) for word in words)
        assert 0.5 < first / second < 2


def test_yes_and_no_are_drawn_as_often_in_every_direction():
    """So that "behind me" does not say no."""
    places = [place for number in range(4) for place, _ in make_room(SMALL, "train", number).situated]
    weights = defaultdict(float)
    for row, place in enumerate(places):
        for one in whether(place):
            weights[row, re.fullmatch(r"Is the .+? (in|on|behind) (.*)\?", one.text)[2], one.answers[0]] += one.weight
    assert {words for _, words, _ in weights} == {"front of me", "my left", "my right", "me"}
    assert all(weight == pytest.approx(1) for weight in weights.values())
    for row, words, _ in list(weights):
        assert {(row, words, "yes"), (row, words, "no")} <= set(weights)


def test_categories_do_not_go_together():
    """What every other room has, it has whatever else it has."""
    rooms = [inventory(np.random.default_rng(seed)) for seed in range(400)]
    names = [name for name, kind in KINDS.items() if kind.counts == (0, 1)]
    there = np.array([[room.count(name) for name in names] for room in rooms], float)
    assert np.abs(np.corrcoef(there.T) - np.eye(len(names))).max() < 0.2
    assert (np.abs(there.mean(0) - 0.5) < 0.1).all()


def test_all_numbers_are_as_likely():
    rooms = [inventory(np.random.default_rng(seed)) for seed in range(400)]
    for name in ("chair", "box", "window", "picture"):
        counts = KINDS[name].counts
        found = Counter(room.count(name) for room in rooms)
        assert set(found) == set(counts)
        assert all(abs(found[count] / 400 - 1 / len(counts)) < 0.08 for count in counts)
