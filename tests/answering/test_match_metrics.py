"""Exact match and its relatives, and the F-value."""

from __future__ import annotations

from pathlib import Path

import pytest
from answer_cases import TWELVE

from geo_lm4ve.answering.metrics.exact_match import ExactMatch
from geo_lm4ve.answering.metrics.f_value import FValue
from geo_lm4ve.answering.metrics.refined_match import LooseMatch, RefinedMatch
from geo_lm4ve.files import UserError
from geo_lm4ve.language.cleaning import clean, first_line

ANSWERS, REFERENCES = [said for said, _ in TWELVE], [right for _, right in TWELVE]


def bits(column) -> str:
    return "".join(f"{value:g}" for value in column)


def test_exact_match_is_letter_for_letter():
    metric = ExactMatch((1,))
    assert bits(metric.measure([[one] for one in ANSWERS], REFERENCES)[:, 0]) == "000100000000"
    cleaned = [[first_line(one)] for one in ANSWERS]
    assert metric.score(metric.measure(cleaned, REFERENCES)) == pytest.approx({"EM@1": 1 / 12})


def test_exact_match_of_several_guesses():
    metric = ExactMatch()
    guesses = [["a", "b"], ["x"] * 9 + ["b"], ["x"] * 10 + ["b"], []]
    statistics = metric.measure(guesses, [["b", "c"]] * 4)
    assert metric.names == ("EM@1", "EM@10")
    assert statistics.tolist() == [[0, 1], [0, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize(("in_order", "exact"), [(True, "111011010010"), (False, "111111010010")])
def test_refined_match_and_the_order_of_references(in_order: bool, exact: str):
    metric = RefinedMatch(in_order)
    statistics = metric.measure([clean(one) for one in ANSWERS], [[clean(one) for one in some] for some in REFERENCES])
    assert bits(statistics[:, 0]) == exact
    assert bits(statistics[:, 1]) == "111111011111"


@pytest.mark.parametrize(
    ("said", "right", "value"),
    [
        ("left", "left", 1),
        ("left", "on the left", 1),
        ("on the left", "left", 1),  # a word in common
        ("wash room", "the washroom door", 1),
        ("right", "left", 0),
        ("the washroom door", "wash room", 0),  # a reference within the answer does not count
        ("", "left", 1),
    ],
)
def test_loose_match(said: str, right: str, value: float):
    metric = LooseMatch()
    assert metric.score(metric.measure([said], [[right]])) == {"EM@1_loose": value}


def test_f_value_counts_lemmas_and_takes_the_best_reference():
    metric = FValue(lemma=lambda word: word.removesuffix("s"))
    said = ["brown chairs", "Brown", "two two chairs", "chair", "", "a b"]
    right = [["brown chair", "x"], ["Brown"], ["chair"], ["x y", "chair z"], ["x"], [""]]
    values = metric.measure(said, right)[:, 0]
    assert values == pytest.approx([1, 1, 2 * (1 / 3) / (4 / 3), 2 * 0.5 / 1.5, 0, 0])


def test_f_value_does_without_exactness_where_texts_are_the_same_words():
    metric = FValue(lemma=str)
    assert metric.measure(["left side on"], [["on left side"]]).tolist() == [[1]]


def test_f_value_names_the_lemmas_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("WNSEARCHDIR", "NLTK_DATA"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("geo_lm4ve.language.wordnet.SYSTEM", ())
    monkeypatch.setattr("geo_lm4ve.language.wordnet.DEBIAN", tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "apt install wordnet-base" in FValue().lacks()
    assert not FValue(lemma=str).lacks()
    with pytest.raises(UserError, match="lemmas need the files of WordNet"):
        FValue().measure(["a"], [["b"]])
