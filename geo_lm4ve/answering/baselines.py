"""What can be answered without looking: floors that a system has to beat, from annotation files alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from geo_lm4ve.answering.files.predictions import Predictions
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.questions import Question, QuestionSet

GUESSES = 10
"""Answers that a baseline gives to a question, the best first."""
RARE = 5
"""The classifier knows answers that occur at least so often in training, if any do."""
STRENGTH = 1.0
"""Inverse strength of the classifier's regularisation: scikit-learn's default, not tuned on anything."""
INSTALL = 'pip install "geo_lm4ve[questions]"'

Guesses = tuple[str, ...]


def majority(train: QuestionSet, asked: QuestionSet) -> list[Guesses]:
    """The most frequent answers of training, whatever is asked."""
    best = _most(answer for question in train.questions for answer in question.answers)
    return [best] * len(asked.questions)


def first_words(train: QuestionSet, asked: QuestionSet) -> list[Guesses]:
    """The most frequent training answers of questions that begin with the same two words; else one, else none."""
    counts = [dict[str, Counter[str]]() for _ in range(3)]
    for question in train.questions:
        for length, table in enumerate(counts):
            table.setdefault(_beginning(question, length), Counter()).update(question.answers)
    best = [{start: _best(counter) for start, counter in table.items()} for table in counts]

    def guess(question: Question) -> Guesses:
        known = [
            table[start] for n, table in reversed(list(enumerate(best))) if (start := _beginning(question, n)) in table
        ]
        return tuple(dict.fromkeys(answer for answers in known for answer in answers))[:GUESSES]

    return [guess(question) for question in asked.questions]


def nearest(train: QuestionSet, asked: QuestionSet) -> list[Guesses]:
    """The answers of the training questions that have most words and pairs of words in common (TF-IDF, cosine)."""
    known, new = _features(list(map(_situated, train.questions)), list(map(_situated, asked.questions)))
    found = list[Guesses]()
    for start in range(0, new.shape[0], 512):  # a block of similarities at a time
        likeness = (new[start : start + 512] @ known.T).toarray()
        nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :GUESSES]
        found += [_answers_of(train, row.tolist()) for row in nearest]
    return found


def classifier(train: QuestionSet, asked: QuestionSet) -> list[Guesses]:
    """Logistic regression on words and pairs of words of the question, without its situation."""
    from sklearn.linear_model import LogisticRegression

    frequent = Counter(answer for question in train.questions for answer in question.answers)
    kept = {answer for answer, count in frequent.items() if count >= RARE} or set(frequent)
    pairs = [(row, answer) for row, one in enumerate(train.questions) for answer in one.answers if answer in kept]
    if len({answer for _, answer in pairs}) < 2:
        raise AnswerError(f"{train.path} has no two different answers to tell apart; take baseline:majority")
    known, new = _features([one.text for one in train.questions], [one.text for one in asked.questions])
    model = LogisticRegression(C=STRENGTH, max_iter=200)
    model.fit(known[[row for row, _ in pairs]], [answer for _, answer in pairs])
    order = np.argsort(-model.predict_proba(new), axis=1, kind="stable")[:, :GUESSES]
    return [tuple(model.classes_[row].tolist()) for row in order]


BASELINES: dict[str, Callable[[QuestionSet, QuestionSet], list[Guesses]]] = {
    "majority": majority, "first-words": first_words, "nearest": nearest, "classifier": classifier,
}  # fmt: skip
"""By their names on the command line."""


def predict(name: str, train: QuestionSet, asked: QuestionSet) -> Predictions:
    """What a baseline answers.

    Args:
        name: in ``BASELINES``.
        train: questions with answers.
        asked: questions.

    Raises:
        AnswerError: the training file has no answers, a question of it is asked again, or scikit-learn is missing.
    """
    if train.withheld:
        raise AnswerError(f"{train.path} has no answers to learn from; --train names the file of the train split")
    if again := {question.id for question in train.questions} & {question.id for question in asked.questions}:
        raise AnswerError(
            f"{len(again):,} questions of {asked.path} are in {train.path} too (such as {min(again)!r}); a baseline "
            "learns from another split"
        )
    try:
        answers = BASELINES[name](train, asked)
    except ImportError as error:
        raise AnswerError(f"the baseline {name} needs scikit-learn: {INSTALL}") from error
    guesses = {question.id: found for question, found in zip(asked.questions, answers)}
    return Predictions(Path(f"baseline:{name}"), guesses)


def _most(answers: Iterable[str]) -> Guesses:
    return _best(Counter(answers))


def _best(counter: Counter[str]) -> Guesses:
    """Most frequent first, equally frequent ones in the order of the file."""
    return tuple(answer for answer, _ in counter.most_common(GUESSES))


def _beginning(question: Question, length: int) -> str:
    return " ".join(re.findall(r"[\w']+", question.text.lower())[:length])


def _situated(question: Question) -> str:
    return f"{question.situation} {question.text}"


def _answers_of(train: QuestionSet, rows: Sequence[int]) -> Guesses:
    """The answers of training questions, those of the nearest first, each once."""
    answers = dict.fromkeys(answer for row in rows for answer in train.questions[row].answers)
    return tuple(answers)[:GUESSES]


def _features(train: list[str], asked: list[str]):  # type: ignore[no-untyped-def]
    """TF-IDF of words and pairs of words; rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    return vectorizer.fit_transform(train), vectorizer.transform(asked)
