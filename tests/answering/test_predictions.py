import math

import pytest
from answer_files import write

from geo_lm4ve.answering.files.predictions import read_predictions
from geo_lm4ve.answering.metrics.base import AnswerError

BOX = [[x, y, z] for x in (0, 2) for y in (0, 2) for z in (1, 2)]
WANTED = {"q0": ("brown", "black"), "q1": ("2",)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("submission.json", [
            {"scene_id": "s", "question_id": "q0", "answer_top10": ["brown", "black"], "bbox": BOX},
            {"scene_id": "s", "question_id": "q1", "answer_top10": ["2"], "bbox": []},
        ]),
        ("mapping.json", {"q0": ["brown", "black"], "q1": "2"}),
        ("list.json", [{"question_id": "q0", "answer": ["brown", "black"]}, {"question_id": "q1", "answer": "2"}]),
        ("rows.json", {"q0": {"pred": ["brown", "black"]}, "q1": {"pred": "2"}}),
        ("wrapped.json", {"prompt": "?", "predictions": {"q0": ["brown", "black"], "q1": "2"}}),
        ("lines.jsonl", '{"qid": "q0", "text": ["brown", "black"]}\n\n{"qid": "q1", "text": "2"}\n'),
        ("lines.json", '{"qid": "q0", "text": ["brown", "black"]}\n{"qid": "q1", "text": "2"}\n'),
    ],
)  # fmt: skip
def test_every_form_that_people_write_is_read(tmp_path, name, content):
    assert read_predictions(write(tmp_path / name, content)).guesses == WANTED


def test_csv_takes_line_breaks_and_commas(tmp_path):
    path = write(tmp_path / "a.csv", 'question_id,answer,seconds\nq0,"brown, dark",1\nq1,"two\nchairs",2\n')
    assert read_predictions(path).guesses == {"q0": ("brown, dark",), "q1": ("two\nchairs",)}


def test_numbers_as_ids_are_texts(tmp_path):
    assert read_predictions(write(tmp_path / "a.json", [{"question_id": 220602, "answer": "x"}])).guesses == {
        "220602": ("x",)
    }


def test_boxes_are_centre_and_size(tmp_path):
    path = write(tmp_path / "a.json", [{"question_id": "q0", "answer": "x", "bbox": BOX}])
    assert read_predictions(path).boxes["q0"].tolist() == [1, 1, 1.5, 2, 2, 1]


def test_a_prompt_is_kept_where_all_say_the_same(tmp_path):
    rows = [{"question_id": one, "answer": "x", "prompt": "Answer in a word."} for one in ("q0", "q1")]
    assert read_predictions(write(tmp_path / "a.json", rows)).prompt == "Answer in a word."
    rows[0]["prompt"] = "Answer."
    assert read_predictions(write(tmp_path / "a.json", rows)).prompt == ""
    wrapped = {"prompt": "In a word.", "results": rows}
    assert read_predictions(write(tmp_path / "a.json", wrapped)).prompt == "In a word."


def test_an_answer_under_two_names_has_to_be_chosen(tmp_path):
    path = write(tmp_path / "a.json", [{"question_id": "q0", "pred": "mine", "answer": "right"}])
    with pytest.raises(AnswerError, match="pred and answer could each be the answer; say which by --answers-in KEY"):
        read_predictions(path)
    assert read_predictions(path, "pred").guesses == {"q0": ("mine",)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"question_id": "a", "answer": 2}], "row 0: an answer to 'a' is 2, not a text; write it in quotes"),
        ({"a": None}, "an answer to 'a' is None, not a text"),
        ({"a": ["x", 3]}, "an answer to 'a' is 3, not a text"),
        ({"a": []}, "the list of answers to 'a' is empty"),
        ([{"question_id": "a", "answer": "x"}] * 2, "question 'a' occurs twice, in rows 0 and 1"),
        ('{"a": "x", "a": "y"}', "'a' occurs twice"),
        ([{"question_id": 1, "answer": "x"}, {"question_id": "1", "answer": "x"}], "question '1' occurs twice"),
        ([{"question_id": None, "answer": "x"}], "question_id is None, neither a text nor a whole number"),
        ([{"answer": "x"}], "row 0: it has none of question_id, qid, id, but 'answer'"),
        ([{"question_id": "a", "said": "x"}], "--answers-in KEY names another"),
        (["x"], "row 0 is a str, not mappings with a question and an answer"),
        (3, "it holds a int, not a list of mappings"),
        ([], "it holds no answer"),
        ([{"question_id": "a", "answer": "x", "bbox": [[0, 0, 0]]}], "the bbox of 'a' is [[0, 0, 0]], not 8 corners"),
        ([{"question_id": "a", "answer": "x", "bbox": [[math.nan, 0, 0]] * 8}], "a number that is not finite"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, content, said):
    path = write(tmp_path / "a.json", content)
    with pytest.raises(AnswerError) as error:
        read_predictions(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "question_id,answer\nq0,x,y\n", "a line has 3 values, the head has 2"),
        ("a.csv", "question_id,answer,answer\nq0,x,y\n", "two columns have one name"),
        ("a.csv", "id;answer\nq0;x\n", "it has none of question_id, qid, id"),
        ("a.txt", "brown", "its name ends in '.txt', not in .json, .jsonl, .csv"),
    ],
)
def test_other_files_are_refused(tmp_path, name, content, said):
    with pytest.raises(AnswerError) as error:
        read_predictions(write(tmp_path / name, content))
    assert said in str(error.value)
