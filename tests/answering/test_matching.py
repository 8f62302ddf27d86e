from pathlib import Path

import pytest
from answer_files import scanqa_rows, write

from geo_lm4ve.answering.files.predictions import Predictions
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.matching import by_position, match
from geo_lm4ve.answering.metrics.base import AnswerError


@pytest.fixture
def asked(tmp_path):
    return read_scanqa(write(tmp_path / "val.json", scanqa_rows([["a"], ["b"], ["c"]])))


def said(**guesses):
    return Predictions(Path("pred.json"), {key.replace("_", "-"): (value,) for key, value in guesses.items()})


def test_a_question_without_answer_counts_unless_told(asked):
    found = match(asked, said(val_scene_2="c", val_scene_0="x"))
    assert found.guesses == [("x",), (), ("c",)]
    assert found.missing == ["val-scene-1"]
    fewer = match(asked, said(val_scene_2="c", val_scene_0="x"), answered_only=True)
    assert [one.id for one in fewer.questions] == ["val-scene-0", "val-scene-2"]
    assert (fewer.missing, fewer.total) == (["val-scene-1"], 3)


def test_answers_to_other_questions_are_an_error_unless_allowed(asked):
    answers = said(val_scene_0="a", val_scene_7="x")
    with pytest.raises(AnswerError, match=r"1 of 2 answers of pred.json belong to no question .* pass --allow-extra"):
        match(asked, answers)
    assert match(asked, answers, allow_extra=True).extra == ["val-scene-7"]


def test_answers_of_another_split_are_told_from_it(asked):
    with pytest.raises(
        AnswerError, match=r"none of the 1 answers .* it has 'train-scene-0', .*like 'val-scene-0'; are they"
    ):
        match(asked, said(train_scene_0="a"), allow_extra=True)


def test_ids_that_count_are_taken_for_positions_when_asked(asked):
    counted = Predictions(Path("result.json"), {"2": ("c",), "0": ("a",), "1": ("b",)})
    with pytest.raises(AnswerError, match="--by-position"):
        match(asked, counted)
    assert match(asked, by_position(asked, counted)).guesses == [("a",), ("b",), ("c",)]
    with pytest.raises(AnswerError, match="numbered from 0 to 2, one for each question"):
        by_position(asked, Predictions(Path("result.json"), {"0": ("a",), "3": ("b",)}))
