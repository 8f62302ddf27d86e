"""BLEU, ROUGE-L, CIDEr and METEOR against values of pycocoevalcap 1.2, and against the package where it is."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from answer_cases import SHORT, TWELVE, tokenised

from geo_lm4ve.answering.metrics.base import AnswerError, TokenMetric
from geo_lm4ve.answering.metrics.bleu import Bleu
from geo_lm4ve.answering.metrics.cider import Cider
from geo_lm4ve.answering.metrics.meteor import Meteor, without_whole_chunks
from geo_lm4ve.answering.metrics.rouge_l import RougeL
from geo_lm4ve.answering.metrics.rouge_summary import SummaryRougeL
from geo_lm4ve.answering.metrics.spice import JAR, MODELS, Spice
from geo_lm4ve.files import UserError
from geo_lm4ve.language.cleaning import clean
from geo_lm4ve.language.tokeniser import Blanks

DIGITS = 1e-9
METRICS = (Bleu(), RougeL(), Cider())


def scores(metric: TokenMetric, answers: list[str], references: list[list[str]]) -> list[float]:
    statistics = metric.measure(*tokenised(answers, references))
    return list(metric.score(statistics).values())


def values(metric: TokenMetric, answers: list[str], references: list[list[str]]) -> list[float]:
    (items,) = metric.items(metric.measure(*tokenised(answers, references))).values()
    return items.tolist()


def test_four_short_answers():
    assert scores(Bleu(), *SHORT) == pytest.approx([0.8749999999, 0.9354143465, 0.9564655912, 0.9671682098], abs=DIGITS)
    assert values(RougeL(), *SHORT) == pytest.approx([1, 1, 0.6288659794, 0], abs=DIGITS)
    assert scores(RougeL(), *SHORT) == pytest.approx([0.6572164948], abs=DIGITS)
    assert values(Cider(), *SHORT) == pytest.approx([2.1216921749, 4.6910412569, 0.8716921749, 0], abs=DIGITS)
    assert scores(Cider(), *SHORT) == pytest.approx([1.9211064017], abs=DIGITS)


def test_exact_answers_of_few_words():
    one_word = ["brown", "two"], [["brown"], ["two"]]
    assert values(Cider(), *one_word) == pytest.approx([2.5, 2.5], abs=DIGITS)
    assert scores(Bleu(), *one_word) == pytest.approx([1, 1e-3, 1e-4, 3.16228e-5], rel=1e-5)
    longer = ["on the left of the desk", "two brown chairs"]
    assert values(Cider(), longer, [[one] for one in longer]) == pytest.approx([10, 7.5], abs=DIGITS)


def test_one_item_alone_has_no_rare_words():
    assert scores(Cider(), ["brown"], [["brown"]]) == [0]


def test_texts_as_leo_hands_them_to_its_scorers():
    answers = [clean(said) for said, _ in TWELVE]
    references = [[clean(one) for one in right] for _, right in TWELVE]
    assert scores(Bleu(), answers, references) == pytest.approx(
        [0.7826086956, 0.7223151185, 0.5581840019, 0.4906849357], abs=DIGITS
    )
    assert scores(RougeL(), answers, references) == pytest.approx([0.7517764858], abs=DIGITS)
    assert scores(Cider(), answers, references) == pytest.approx([3.0896610710], abs=DIGITS)
    assert values(RougeL(), answers, references) == pytest.approx(
        [1, 1, 1, 1, 1, 1, 0.666667, 1, 0, 0, 1, 0.354651], abs=1e-6
    )
    assert values(Cider(), answers, references) == pytest.approx(
        [2.5, 2.5, 3.125, 3.499925, 2.5, 2.5, 3.068510, 10, 0, 0, 5, 2.382498], abs=1e-6
    )


def test_empty_answers_score_as_there():
    empty = [""], [["black"]]
    assert scores(Bleu(), *empty) == [0, 0, 0, 0]
    assert scores(RougeL(), *empty) == [0]
    assert scores(RougeL(), [""], [[""]]) == [1]  # an empty text has one empty token there


@pytest.mark.parametrize(
    ("said", "right", "value"),
    [
        ("brown", "brown", 0.999999995),
        ("Brown table", "brown table", 0.499999995),
        ("the table on the left side of the room", "left side of the room", 0.833333328),
        ("two", "2", 0),
        ("", "black", 0),
        ("on the wall. above the desk", "above the desk on the wall", 0.999999995),
        ("chair " * 85 + "ch", "table", 0),
        ("...", "black", 0),
    ],
)
def test_rouge_of_summaries(said: str, right: str, value: float):
    metric = SummaryRougeL()
    statistics = metric.measure([said], [[right, "never looked at"]])
    assert metric.score(statistics)["ROUGE-L"] == pytest.approx(value, abs=DIGITS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: type(one).__name__)
def test_a_subset_is_scored_from_its_rows(metric: TokenMetric):
    answers, references = tokenised(*SHORT)
    statistics = metric.measure(answers, references)
    if not isinstance(metric, Cider):  # whose document frequencies are of the whole set
        assert metric.score(statistics[1:3]) == pytest.approx(
            metric.score(metric.measure(answers[1:3], references[1:3]))
        )
    one = {name: column[2] for name, column in metric.items(statistics).items()}
    assert metric.score(statistics[2:3]) == pytest.approx(one)
    assert all(np.isnan(value) for value in metric.score(statistics[:0]).values())


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: type(one).__name__)
def test_answers_and_references_must_belong_together(metric: TokenMetric):
    with pytest.raises(AnswerError, match="2 answers, but references of 1 questions"):
        metric.measure([["a"], ["b"]], [[["a"]]])
    with pytest.raises(AnswerError, match=r"question 1 \(counted from 0\) has no right answer"):
        metric.measure([["a"], ["b"]], [[["a"]], []])


VOCABULARY = [*"abcdef", "the", "The", "left,", "2", "two\xa0words"]


def random_set(chance: np.random.Generator) -> tuple[list[str], list[list[str]]]:
    def text() -> str:
        blank = chance.choice([" ", " ", " ", "  ", "\n"])
        return blank.join(chance.choice(VOCABULARY, chance.integers(0, 9)))

    items = chance.integers(1, 6)
    references = [[text() for _ in range(chance.integers(1, 5))] for _ in range(items)]
    references[0][0] = "left"  # pycocoevalcap's CIDEr stops where no reference has a word
    return [text() for _ in range(items)], references


def test_random_answers_score_as_with_pycocoevalcap():
    theirs = {
        "BLEU": pytest.importorskip("pycocoevalcap.bleu.bleu").Bleu(4),
        "ROUGE-L": pytest.importorskip("pycocoevalcap.rouge.rouge").Rouge(),
        "CIDEr": pytest.importorskip("pycocoevalcap.cider.cider").Cider(),
    }
    ours = {"BLEU": Bleu(), "ROUGE-L": RougeL(), "CIDEr": Cider()}
    chance, tokeniser = np.random.default_rng(0), Blanks()
    for _ in range(200):
        answers, references = random_set(chance)
        right = [tokeniser.tokenise(some) for some in references]
        given = dict(enumerate(references)), {number: [one] for number, one in enumerate(answers)}
        for name, metric in ours.items():
            statistics = metric.measure(tokeniser.tokenise(answers), right)
            options = {"verbose": 0} if name == "BLEU" else {}
            total, items = theirs[name].compute_score(*given, **options)
            assert list(metric.score(statistics).values()) == pytest.approx(np.atleast_1d(total), abs=1e-12)
            found = np.stack(list(metric.items(statistics).values()))
            np.testing.assert_allclose(found, np.atleast_2d(items), rtol=0, atol=1e-12)


def test_summaries_score_as_with_the_rouge_package():
    theirs = pytest.importorskip("rouge").Rouge(metrics=["rouge-l"])
    chance, metric = np.random.default_rng(1), SummaryRougeL()
    for _ in range(300):
        said, right = (" ".join(chance.choice([*"abcdefg", "h.", ". "], chance.integers(1, 12))) for _ in range(2))
        if set(said) | set(right) <= {".", " "} or not (said.strip(". ") and right.strip(". ")):
            continue
        value = metric.score(metric.measure([said], [[right]]))["ROUGE-L"]
        assert value == pytest.approx(theirs.get_scores(said, right)[0]["rouge-l"]["f"], abs=1e-12), (said, right)


def test_meteor_as_pycocoevalcap_prints_it():
    metric = Meteor()
    if metric.lacks():
        pytest.skip(metric.lacks())
    statistics = metric.measure(*tokenised(*SHORT))
    assert metric.score(statistics)["METEOR"] == pytest.approx(0.3593107922, abs=DIGITS)
    assert metric.items(statistics)["METEOR"] == pytest.approx([1, 0.4894845842, 0.1126760563, 0], abs=DIGITS)


def test_the_score_of_meteor_from_statistics():
    """Lines of METEOR's Java program for the four short answers."""
    statistics = np.zeros((4, 23))
    statistics[0, [0, 1, 4, 5, 20, 21, 22]] = 1
    statistics[1, :8] = 5, 7, 2, 4, 3, 3, 2, 2
    statistics[1, 20:] = 1, 5, 5
    statistics[2, :8] = 1, 2, 1, 1, 0, 0, 1, 1
    statistics[2, 20:] = 1, 1, 1
    statistics[3, :2] = 1
    metric, statistics = Meteor(), without_whole_chunks(statistics)
    assert metric.score(statistics)["METEOR"] == pytest.approx(0.3593107922, abs=DIGITS)
    assert metric.items(statistics)["METEOR"] == pytest.approx([1, 0.4894845842, 0.1126760563, 0], abs=DIGITS)


@pytest.mark.parametrize("metric", [Meteor(), Spice()], ids=["METEOR", "SPICE"])
def test_what_needs_java_is_named_as_missing(metric: TokenMetric, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert "there is no java on the path: apt install default-jre" in metric.lacks()
    with pytest.raises(UserError, match=f"{metric.names[0]} runs in Java"):
        metric.measure([["a"]], [[["a"]]])


def test_spice_reads_what_its_program_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A stand-in for the program, which answers in another order, with lengths."""
    for name in (JAR, *MODELS):
        path = tmp_path / "pycocoevalcap" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "java.py").write_text(
        "import json, sys\n"
        "asked = json.load(open(sys.argv[sys.argv.index('-cache') - 1]))\n"
        "size = lambda one: len(one['test'] + one['refs'][0]) / 100\n"
        "rows = [{'image_id': one['image_id'], 'scores': {'All': {'f': size(one)}}} for one in asked]\n"
        "json.dump(rows[::-1], open(sys.argv[sys.argv.index('-out') + 1], 'w'))\n"
    )
    java = tmp_path / "java"
    java.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path / "java.py"} "$@"\n')
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    metric = Spice()
    statistics = metric.measure([["a", "b"], ["a"]], [[["abc"]], [["a"], ["never"]]])
    assert statistics.tolist() == [[0.06], [0.02]]
    assert metric.score(statistics) == pytest.approx({"SPICE": 0.04})
    (tmp_path / "pycocoevalcap" / MODELS[1]).unlink()
    with pytest.raises(UserError, match=r"SPICE needs .*-models\.jar, which is missing"):
        metric.measure([["a"]], [[["a"]]])
