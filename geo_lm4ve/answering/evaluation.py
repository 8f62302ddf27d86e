"""What ``tools/evaluate.py`` does with answers: read, match, score by every protocol asked for, print, write."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from geo_lm4ve.answering import tables
from geo_lm4ve.answering.comparison import compare_scores
from geo_lm4ve.answering.files.boxes import read_boxes
from geo_lm4ve.answering.files.predictions import Predictions, read_predictions
from geo_lm4ve.answering.files.scanqa import read_scanqa
from geo_lm4ve.answering.files.sqa3d import read_sqa3d
from geo_lm4ve.answering.files.vocabulary import read_vocabulary
from geo_lm4ve.answering.items import check_suffix, write_items
from geo_lm4ve.answering.matching import Match, by_position, match, named
from geo_lm4ve.answering.metrics.base import AnswerError
from geo_lm4ve.answering.places import asked_places, said_places
from geo_lm4ve.answering.protocols import PROTOCOLS
from geo_lm4ve.answering.questions import QuestionSet
from geo_lm4ve.answering.results import results_of
from geo_lm4ve.answering.scores import Items, Means, Scores, score
from geo_lm4ve.config import unknown
from geo_lm4ve.files import write_json
from geo_lm4ve.language.stanford import Stanford
from geo_lm4ve.language.tokeniser import Tokeniser
from geo_lm4ve.language.treebank import Treebank

TOKENISERS: dict[str, type[Tokeniser]] = {"treebank": Treebank, "java": Stanford}
BASELINE = "baseline:"
"""How ``--predictions`` names a baseline."""


def evaluate_answers(data: str, protocols: Sequence[str], options: argparse.Namespace) -> None:
    """Do what the options say (``AnswerScorer.add_options``).

    Args:
        data: "scanqa" or "sqa3d".
        protocols: names; several give one table.
        options: of the command line.

    Raises:
        UserError: something cannot be read, matched, scored or written; nothing is written then.
    """
    _check(protocols, options)
    asked, places = _read(data, options.data, options.questions), _places(protocols)
    asked = asked_places(asked) if places else asked
    known = read_vocabulary(options.vocabulary) if options.vocabulary else None
    found = _matched(data, options.predictions, asked, options, places)
    if options.submission:
        from geo_lm4ve.answering.submission import write_submission

        write_submission(options.submission, found)
    if asked.withheld:
        return _unscored(asked, options)
    found = answerable(found, known) if options.answerable_only and known else found
    means = _means(found, known, options)
    scored = [score(found, PROTOCOLS[name], means) for name in protocols]
    results = [results_of(scores, str(asked.path)) for scores in scored]
    if options.against:
        theirs = _matched(data, options.against, asked, options, places)
        other = score(_same_questions(theirs, found), scored[0].protocol, means)
        results[0]["comparison"] = compare_scores(scored[0], other, samples=options.samples, seed=options.seed)
    return _report(scored[0], results, options)


def answerable(found: Match, vocabulary: frozenset[str]) -> Match:
    """The questions of which at least one right answer is in a vocabulary, as in ScanQA's own loaders."""
    kept = [row for row, one in enumerate(found.questions) if vocabulary.intersection(one.answers)]
    if not kept:
        raise AnswerError("no right answer is in the vocabulary; is it that of another data set?")
    return found.rows(kept)


def _check(protocols: Sequence[str], options: argparse.Namespace) -> None:
    """What can be refused before anything is read."""
    check_suffix(options.items)
    if len(protocols) > 1 and (several := [one for one in ("items", "page", "against") if getattr(options, one)]):
        raise AnswerError(f"--{several[0]} is of one protocol; name one of {', '.join(protocols)}")
    if options.answerable_only and not options.vocabulary:
        raise AnswerError("--answerable-only needs the answers of training: --vocabulary FILE")
    if options.submission and protocols[0].startswith("sqa3d"):
        raise AnswerError(
            "--submission writes the file of ScanQA's server; SQA3D had none: its test answers are public"
        )


def _read(data: str, path: Path, questions: Path | None) -> QuestionSet:
    return read_scanqa(path) if data == "scanqa" else read_sqa3d(path, questions)


def _places(protocols: Sequence[str]) -> bool:
    """Whether places are asked for, not answers."""
    return bool(PROTOCOLS[protocols[0]].poses)


def _matched(data: str, predictions: Path, asked: QuestionSet, options: argparse.Namespace, places: bool) -> Match:
    found = _predictions(data, predictions, asked, options)
    found = said_places(found) if places else found
    if options.by_position:
        found = by_position(asked, found)
    return match(asked, found, answered_only=options.answered_only, allow_extra=options.allow_extra)


def _predictions(data: str, path: Path, asked: QuestionSet, options: argparse.Namespace) -> Predictions:
    """The answers in a file, or those of a baseline."""
    if not (name := str(path)).startswith(BASELINE):
        return read_predictions(path, options.answers_in)
    from geo_lm4ve.answering.baselines import BASELINES, predict

    if (name := name.removeprefix(BASELINE)) not in BASELINES:
        raise AnswerError(unknown("baseline", name, BASELINES))
    if options.train is None:
        raise AnswerError(f"{path} learns from another file: --train ANNOTATIONS.json")
    return predict(name, _read(data, options.train, options.train_questions), asked)


def _unscored(asked: QuestionSet, options: argparse.Namespace) -> None:
    if not options.submission:
        raise AnswerError(
            f"{asked.path} has no answers (a test split?), so nothing can be scored; --submission FILE.json writes the "
            "official file"
        )
    print(f"{asked.path} has no answers: {options.submission} is written, nothing is scored")


def _means(found: Match, known: frozenset[str] | None, options: argparse.Namespace) -> Means:
    boxes = read_boxes(options.boxes, (one.scene for one in found.questions)) if options.boxes else None
    return Means(TOKENISERS[options.tokeniser](), known, boxes, options.any_object, options.without)


def _same_questions(other: Match, found: Match) -> Match:
    """The other system's answers to the questions that count; AnswerError if it has not answered all of them."""
    place = {question.id: row for row, question in enumerate(other.questions)}
    if lacking := [question.id for question in found.questions if question.id not in place]:
        raise AnswerError(
            f"{other.predictions.path} has no answer to {len(lacking):,} of the questions compared ({named(lacking)}); "
            "leave --answered-only out, so that they count as wrong"
        )
    return other.rows([place[question.id] for question in found.questions])


def _report(scores: Scores, results: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print, and write what was asked for."""
    console = Console(soft_wrap=True)
    if len(results) == 1:
        tables.print_scores(results[0], console)
    else:
        tables.print_all(results, console)
    if "comparison" in results[0]:
        tables.print_comparison(results[0]["comparison"], console)
    if options.items:
        write_items(options.items, Items(scores))
    if options.page:
        from geo_lm4ve.answering.page import write_page

        write_page(options.page, Items(scores), results[0])
    if options.out:
        whole = {"protocol": options.protocol, "protocols": {one["protocol"]: one for one in results}}
        write_json(options.out, results[0] if len(results) == 1 else whole)
