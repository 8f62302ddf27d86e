import pytest
from answer_files import scanqa_rows, write

from geo_lm4ve.answering.baselines import predict
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.metrics.base import AnswerError

TRAIN = (
    ("What color is the chair?", "brown"), ("What color is the desk?", "brown"), ("What color is the bed?", "white"),
    ("How many chairs are there?", "2"), ("How many beds are there?", "1"), ("How many desks are there?", "2"),
    ("How much?", "2"), ("Where is the bed?", "left"),
)  # fmt: skip
ASKED = ("What color is the big chair?", "How many chairs are by the desk?", "How big is it?", "Is it on?")


def questions(folder, name, pairs):
    rows = scanqa_rows([[answer] for _, answer in pairs])
    for row, (question, _) in zip(rows, pairs):
        row |= {"question": question, "question_id": f"{name}-{row['question_id']}"}
    return read_scanqa(write(folder / f"{name}.json", rows))


@pytest.fixture
def splits(tmp_path):
    return questions(tmp_path, "train", TRAIN), questions(tmp_path, "val", [(one, "x") for one in ASKED])


def best(name, splits):
    return [guesses[0] for guesses in predict(name, *splits).guesses.values()]


def test_majority_says_the_same_to_all(splits):
    said = predict("majority", *splits)
    assert set(said.guesses.values()) == {("2", "brown", "white", "1", "left")}
    assert str(said.path) == "baseline:majority"


def test_first_words_fall_back_to_one_word_and_to_none(splits):
    assert best("first-words", splits) == ["brown", "2", "2", "2"]
    assert predict("first-words", *splits).guesses["val-val-scene-0"] == ("brown", "white", "2", "1", "left")


@pytest.mark.parametrize("name", ["nearest", "classifier"])
def test_baselines_that_need_scikit_learn_read_the_question(splits, name):
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'geo_lm4ve[questions]'")
    assert best(name, splits)[:2] == ["brown", "2"]


def test_without_scikit_learn_the_install_line_is_said(splits, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(AnswerError, match=r"needs scikit-learn: pip install .*questions"):
        predict("nearest", *splits)


def test_learning_from_the_questions_that_are_asked_is_refused(splits):
    train, _ = splits
    with pytest.raises(AnswerError, match=r"8 questions of .* a baseline learns from another split"):
        predict("majority", train, train)
