"""The published evaluations of ScanQA and SQA3D, as data. ``docs/question_answering.md`` is their table in words."""

from __future__ import annotations

from dataclasses import replace

from geo_lm4ve.answering.metrics.bleu import Bleu
from geo_lm4ve.answering.metrics.cider import Cider
from geo_lm4ve.answering.metrics.exact_match import ExactMatch
from geo_lm4ve.answering.metrics.f_value import FValue
from geo_lm4ve.answering.metrics.localisation import Localisation
from geo_lm4ve.answering.metrics.meteor import Meteor
from geo_lm4ve.answering.metrics.refined_match import LooseMatch, RefinedMatch
from geo_lm4ve.answering.metrics.rouge_l import RougeL
from geo_lm4ve.answering.metrics.rouge_summary import SummaryRougeL
from geo_lm4ve.answering.metrics.spice import Spice
from geo_lm4ve.answering.protocol import Protocol
from geo_lm4ve.language.cleaning import clean, first_characters, first_line, single_blanks

_CAPTIONS = (Bleu(), RougeL(), Cider(), Meteor())
_CLEANED = "both sides by LEO's clean_answer: lower case, numbers in words, no articles, misspellings mended"
_PARTS = "EM@1_refined takes an empty answer, and any part of a right answer, for right"


def without_stop(text: str) -> str:
    """Chat-Scene's preparation of predictions before ``clean``: no final full stop, first letter small."""
    if len(text) > 1:
        text = text.removesuffix(".")
        text = text[0].lower() + text[1:]
    return clean(text)


_SCANQA_LEO = Protocol(
    "scanqa:leo",
    "LEO, evaluator/scanqa_eval.py",
    _CLEANED,
    texts=(RefinedMatch(in_order=True),),
    words=_CAPTIONS,
    clean=clean,
    clean_references=clean,
    treebank=False,
    bugs=(
        "the first right answer that agrees, wholly or in part, decides: a later exact one gives no EM@1",
        _PARTS,
        "texts are split at blanks without a tokeniser: commas stay on their words, 'TV' in capitals",
    ),
)
"""Others have its cleaning."""

_ALL = (
    Protocol(
        "scanqa:official",
        "ScanQA, scripts/score.py",
        "none",
        ranked=(ExactMatch(),),
        texts=(FValue(),),
        words=(*_CAPTIONS, Spice()),
        boxes=True,
        bugs=("EM compares letter for letter: 'Brown' is wrong where 'brown' is right",),
    ),
    Protocol(
        "scanqa:vista",
        "3D-VisTA and SceneVerse, evaluator/scanqa_eval.py",
        "none",
        ranked=(ExactMatch(),),
        vocabulary=True,
        bugs=("right answers outside the vocabulary of training (--vocabulary) are lost to everybody",),
    ),
    Protocol(
        "scanqa:3d-llm",
        "3D-LLM, calculate_scores/calculate_score_scanqa.py",
        "predictions lose commas, <pad> and </s> and all but their first line; right answers stay",
        ranked=(ExactMatch((1,)),),
        words=_CAPTIONS,
        clean=first_line,
        scenes_answered=True,
        bugs=(
            "a right answer with a comma cannot be matched",
            "questions of scenes without a feature file are dropped: here, of scenes in which nothing is answered",
        ),
    ),
    Protocol(
        "scanqa:ll3da",
        "LL3DA, eval_utils/evaluate_qa.py",
        "repeated blanks of predictions dropped; right answers stay",
        words=_CAPTIONS,
        clean=single_blanks,
        treebank=False,
        bugs=("texts are split at blanks without a tokeniser: 'Chair', 'chair.' and 'chair' are three words",),
    ),
    _SCANQA_LEO,
    Protocol(
        "scanqa:chat-scene",
        "Chat-Scene, utils/eval.py",
        "predictions lose a final full stop and go through LEO's clean_answer; right answers stay",
        texts=(RefinedMatch(),),
        words=_CAPTIONS,
        clean=without_stop,
        bugs=("one side only is cleaned: the right answers '2' and 'TV stand' cannot be matched exactly", _PARTS),
    ),
    replace(
        _SCANQA_LEO,
        name="scanqa:llava-3d",
        source="LLaVA-3D, llava/eval/scanqa_evaluator.py",
        texts=(RefinedMatch(),),
        words=(*_CAPTIONS, Spice()),
        treebank=True,
        bugs=(_PARTS,),
    ),
    Protocol(
        "scanqa:lmms-interleave",
        "lmms-eval, LLaVA-Interleave-Bench",
        "predictions cut to 512 characters; right answers stay",
        texts=(SummaryRougeL(),),
        clean=first_characters,
        first_reference=True,
        bugs=("a perfect answer scores .999999995", "words count once and in their case; only one right answer counts"),
    ),
    Protocol(
        "sqa3d:exact",
        "SQA3D, ScanQA/scripts/test.py, and 3D-VisTA",
        "none",
        ranked=(ExactMatch(),),
        vocabulary=True,
        unknown="u",
        bugs=("with --vocabulary, right answers outside of it are one class 'u': whoever says 'u' is right",),
    ),
    replace(_SCANQA_LEO, name="sqa3d:refined", source="LEO, evaluator/sqa3d_eval.py", bugs=(_PARTS,)),
    Protocol(
        "sqa3d:loose",
        "SQA3D, LLM/eval_sqa3d_llm.py (zero-shot language models)",
        "predictions by clean_answer, of which LEO's is a copy; right answers stay",
        texts=(LooseMatch(),),
        clean=clean,
        bugs=("any word in common with the right answer is enough, as is an empty answer; no exact match at all",),
    ),
    Protocol(
        "sqa3d:localisation",
        "SQA3D, utils/localization_metric.py",
        "none",
        poses=(Localisation(),),
        bugs=("the angle is the last component of the rotation vector: the heading only of a turn about z alone",),
    ),
)

PROTOCOLS = {protocol.name: protocol for protocol in _ALL}
"""By name, in the order of tables; the first of each data set is its own."""
