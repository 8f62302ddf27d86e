"""Twelve answers on which published evaluations differ: what their own code gave for them, to 1e-9."""

from pathlib import Path

import pytest
from answer_files import JavaTokens, scanqa_rows, write, write_sqa3d, write_twelve

from geo_lm4ve.answering import VARIANTS
from geo_lm4ve.answering.files.predictions import Predictions, read_predictions
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.matching import match
from geo_lm4ve.answering.protocols import PROTOCOLS
from geo_lm4ve.answering.scores import Means, score

BLEU = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr")
CAPTIONS = {
    "scanqa:official": (.6000000000, .4701623460, .2571485693, 3.81826079e-5, .5948678161, 1.8781995287),
    "scanqa:3d-llm": (.6923076923, .5683985600, .3298788533, 5.17634669e-5, .6136365848, 1.9424487929),
    "scanqa:leo": (.7826086956, .7223151185, .5581840019, .4906849357, .7517764858, 3.0896610710),
    "scanqa:llava-3d": (.8260869565, .7871246517, .6766317057, .5668706143, .8016074450, 3.4589518958),
}  # fmt: skip
EXACT = {
    "scanqa:official": "000100000000", "scanqa:vista": "000100000000", "scanqa:3d-llm": "000100000000",
    "scanqa:leo": "111011010010", "scanqa:llava-3d": "111111010010",
}  # fmt: skip
REFINED = {"scanqa:leo": "111111011111", "scanqa:llava-3d": "111111011111"}
MEANS = Means(JavaTokens(), without=("METEOR", "SPICE", "F-value"))


@pytest.fixture
def twelve(tmp_path):
    data, said = write_twelve(tmp_path)
    return match(read_scanqa(data), read_predictions(said))


def bits(column):
    return "".join(str(int(value > 50)) for value in column)


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_metrics_of_the_twelve(twelve, name):
    values = score(twelve, PROTOCOLS[name], MEANS).metrics()
    assert [values[one] / 100 for one in BLEU] == pytest.approx(CAPTIONS[name], abs=1e-9)


@pytest.mark.parametrize("name", EXACT)
def test_exact_matches_of_the_twelve(twelve, name):
    values = score(twelve, PROTOCOLS[name], MEANS).values
    assert bits(values["EM@1"]) == EXACT[name]
    assert bits(values.get("EM@1_refined", [])) == REFINED.get(name, "")


def test_chat_scene_compares_cleaned_answers_with_right_ones_as_they_are(twelve):
    values = score(twelve, PROTOCOLS["scanqa:chat-scene"], MEANS).values
    # As LLaVA-3D where cleaning leaves the right answer: not 'left side', 'TV', 'to right of door', 'zero' ...
    assert bits(values["EM@1"]) == "111111000000"
    assert bits(values["EM@1_refined"]) == "111111001101"


def test_chat_scene_drops_a_full_stop_before_it_trims(tmp_path):
    asked = read_scanqa(write(tmp_path / "val.json", scanqa_rows([["chair"]])))
    found = match(asked, Predictions(Path("p"), {"val-scene-0": ("Chair .",)}))
    assert score(found, PROTOCOLS["scanqa:chat-scene"], MEANS).metrics()["EM@1"] == 100
    assert score(found, PROTOCOLS["scanqa:llava-3d"], MEANS).metrics()["EM@1"] == 0


def test_ll3da_splits_at_blanks(twelve):
    scores = score(twelve, PROTOCOLS["scanqa:ll3da"], MEANS)
    assert scores.tokeniser == "blanks"
    assert scores.texts.guesses[7] == ("to the rigth of the door",)
    assert bits(scores.values["ROUGE-L"]) == "001100110000"


def test_lmms_counts_words_once_against_the_first_right_answer(tmp_path):
    cases = [
        ("brown", "brown", 0.999999995), ("Brown table", "brown table", 0.499999995),
        ("the table on the left side of the room", "left side of the room", 0.833333328), ("two", "2", 0),
        ("", "black", 0), ("on the wall. above the desk", "above the desk on the wall", 0.999999995),
        ("chair " * 100 + "table", "table", 0),
    ]  # fmt: skip
    asked = read_scanqa(write(tmp_path / "val.json", scanqa_rows([[right, said] for said, right, _ in cases])))
    guesses = {one.id: (said,) for one, (said, _, _) in zip(asked.questions, cases)}
    scores = score(match(asked, Predictions(Path("p"), guesses)), PROTOCOLS["scanqa:lmms-interleave"], MEANS)
    assert scores.values["ROUGE-L"] / 100 == pytest.approx([value for _, _, value in cases], abs=1e-9)
    assert scores.right.tolist() == [True, False, False, False, False, True, False]


def test_3d_llm_leaves_out_scenes_in_which_nothing_is_answered(tmp_path):
    asked = read_scanqa(write(tmp_path / "val.json", scanqa_rows([["a"]] * 6)))  # scenes 0 1 2 0 1 2
    found = match(asked, Predictions(Path("p"), {"val-scene-0": ("a",), "val-scene-1": ("a, ",)}))
    assert len(score(found, PROTOCOLS["scanqa:official"], MEANS).found.questions) == 6
    scores = score(found, PROTOCOLS["scanqa:3d-llm"], MEANS)
    assert [one.id[-1] for one in scores.found.questions] == ["0", "1", "3", "4"]
    assert scores.metrics()["EM@1"] == 50


def test_no_answer_is_wrong_though_an_empty_one_is_a_part_of_every_right_one(tmp_path):
    asked = read_scanqa(write(tmp_path / "val.json", scanqa_rows([["a"], ["b"]])))
    found = match(asked, Predictions(Path("p"), {"val-scene-0": ("",)}))
    assert bits(score(found, PROTOCOLS["scanqa:leo"], MEANS).values["EM@1_refined"]) == "10"


def test_a_vocabulary_limits_what_a_classifier_can_say(twelve):
    known = Means(JavaTokens(), frozenset({"table"}), without=MEANS.without)
    assert score(twelve, PROTOCOLS["scanqa:official"], known).metrics()["EM@1"] == pytest.approx(100 / 12)
    assert score(twelve, PROTOCOLS["scanqa:vista"], known).metrics()["EM@1"] == 0


def test_protocols_of_sqa3d(tmp_path):
    cases = [  # answer, right answer, exact, refined, loose
        ("two", "two", 1, 1, 1), ("2", "two", 0, 1, 1), ("the desk lamp", "lamp", 0, 1, 1), ("lam", "lamp", 0, 1, 1),
        ("on left", "left of me", 0, 0, 1), ("right", "left", 0, 0, 0), ("", "left", 0, 1, 1), ("tv", "tv", 1, 1, 0),
    ]  # fmt: skip
    asked = read_sqa3d(write_sqa3d(tmp_path, [("What?", right) for _, right, *_ in cases]))
    found = match(asked, Predictions(Path("p"), {one.id: (case[0],) for one, case in zip(asked.questions, cases)}))
    for place, (name, metric) in enumerate(
        (("exact", "EM@1"), ("refined", "EM@1_refined"), ("loose", "EM@1_loose")), 2
    ):
        values = score(found, PROTOCOLS[f"sqa3d:{name}"], MEANS).values[metric]
        assert bits(values) == "".join(str(case[place]) for case in cases), name


def test_an_answer_that_no_class_stands_for_is_the_unknown_class(tmp_path):
    asked = read_sqa3d(write_sqa3d(tmp_path, [("What?", "rare thing"), ("What?", "desk")]))
    found = match(asked, Predictions(Path("p"), {asked.questions[0].id: ("u",), asked.questions[1].id: ("u",)}))
    assert score(found, PROTOCOLS["sqa3d:exact"], MEANS).metrics()["EM@1"] == 0
    known = Means(JavaTokens(), frozenset({"desk", "u"}))
    assert bits(score(found, PROTOCOLS["sqa3d:exact"], known).values["EM@1"]) == "10"


def test_the_command_knows_every_protocol():
    assert list(PROTOCOLS) == [
        *(f"scanqa:{one}" for one in VARIANTS["scanqa"]),
        *(f"sqa3d:{one}" for one in VARIANTS["sqa3d"]),
        "sqa3d:localisation",
    ]
    assert all(protocol.source and protocol.metrics for protocol in PROTOCOLS.values())
