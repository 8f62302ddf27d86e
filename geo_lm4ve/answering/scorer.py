"""The scorer of anybody's answers: ``tools/evaluate.py --predictions FILE --data FILE --protocol scanqa|sqa3d``."""

from __future__ import annotations

import argparse
from pathlib import Path

from geo_lm4ve.answering import PARTS, VARIANTS
from geo_lm4ve.parts.scorer import Scorer, register_scorer

EPILOG = """
data:
  scanqa  ScanQA_v1.0_{train,val,test_w_obj,test_wo_obj}.json. Answers of the test splits are not public: score val.
  sqa3d   v1_balanced_sqa_annotations_SPLIT_scannetv2.json; v1_balanced_questions_SPLIT_scannetv2.json beside it, or
          named by --questions.

predictions (told apart by their content):
  .json   [{"scene_id", "question_id", "answer_top10": [best, ...], "bbox": 8 corners or []}], ScanQA's submission;
          other lists of mappings with question_id (or qid, id) and answer (or prediction, pred, pred_answer, text): a
          text, or a list with the best first; {question_id: answer}; one of these under "predictions" beside a "prompt"
          for sqa3d:localisation, in place of the answer: "position" (x, y, z) and "rotation" (x, y, z, w) in the frame
          of the annotations, or up to three of these pairs in a list "poses"
  .jsonl  one such mapping a line (files called .json may be that, too)
  .csv    columns question_id and answer
  baseline:majority|first-words|nearest|classifier   what can be answered without looking, learnt from --train; the last
          two need scikit-learn (pip install "geo_lm4ve[questions]")

protocols: docs/question_answering.md has the table: who scores so, what is done, which bugs are reproduced. A question
without an answer counts as wrong unless --answered-only is given; answers to other questions are an error unless
--allow-extra is given.

examples:
  geo-lm4ve evaluate --predictions pred.json --data ScanQA_v1.0_val.json --protocol scanqa --out scores.json
  geo-lm4ve evaluate --predictions pred.json --data ScanQA_v1.0_val.json --protocol scanqa:all
  geo-lm4ve evaluate --predictions a.json --against b.json --data ScanQA_v1.0_val.json --protocol scanqa:leo
  geo-lm4ve evaluate --predictions baseline:majority --train ScanQA_v1.0_train.json --data ScanQA_v1.0_val.json \\
    --protocol scanqa
  geo-lm4ve evaluate --predictions pred.json --data ScanQA_v1.0_test_w_obj.json --protocol scanqa \\
    --submission pred.test_w_obj.json
"""


class AnswerScorer(Scorer):
    """Scores answers to the questions of one data set.

    Args:
        data: "scanqa" or "sqa3d".
        variants: names of protocols.
    """

    summary = "Score the answers of any model to questions about 3D scenes, by the rules of published evaluations."
    epilog = EPILOG

    def __init__(self, data: str, variants: tuple[str, ...]):
        self.data, self.variants = data, variants

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Where the questions are, what to write, what to allow."""
        add = parser.add_argument
        add("--data", type=Path, required=True, metavar="ANNOTATIONS.json", help="questions and right answers")
        add("--questions", type=Path, metavar="FILE", help="sqa3d: the questions (default: beside ANNOTATIONS.json)")
        add("--against", type=Path, metavar="FILE", help="answers of another system, to compare with")
        add("--samples", type=int, default=1000, metavar="N", help="bootstrap samples of a comparison (default: 1000)")
        add("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default: 0)")
        add("--train", type=Path, metavar="FILE", help="annotations that a baseline learns from")
        add("--train-questions", type=Path, metavar="FILE", help="sqa3d: their questions, where not beside them")
        add("--out", type=Path, metavar="FILE.json", help="write metrics, types and circumstances as JSON, in percent")
        add("--items", type=Path, metavar="FILE", help="write one row per question (.jsonl or .csv)")
        add("--page", type=Path, metavar="FILE.html", help="write a page of answers to filter and search")
        add("--submission", type=Path, metavar="FILE.json", help="write ScanQA's official file; needs no right answers")
        add("--boxes", type=Path, metavar="PLACE", help="boxes of the scans' objects: adds Acc@0.25 and Acc@0.5")
        add("--any-object", action="store_true", help="Acc: the best of a question's objects counts, not the first")
        add("--without", nargs="+", default=[], metavar="METRIC", help="leave out what takes long (METEOR SPICE)")
        add("--vocabulary", type=Path, metavar="FILE", help="official answer vocabulary; scanqa:vista asks it")
        add("--answerable-only", action="store_true", help="count only questions with an answer in --vocabulary")
        add("--answered-only", action="store_true", help="count only questions that are answered")
        add("--allow-extra", action="store_true", help="leave out answers to questions that the data do not ask")
        add("--by-position", action="store_true", help="question ids count the questions from 0 (3D-LLM's results)")
        add("--answers-in", default="", metavar="KEY", help="the key or column that holds the answer")
        add(
            "--tokeniser", choices=("treebank", "java"), default="treebank",
            help="Penn Treebank tokens without Java (default), or the program that most papers used",
        )  # fmt: skip

    def score(self, options: argparse.Namespace) -> None:
        """See Scorer.score."""
        from geo_lm4ve.answering.evaluation import evaluate_answers

        evaluate_answers(self.data, self._protocols(options.protocol), options)

    def _protocols(self, named: str) -> list[str]:
        """The protocols that a value of ``--protocol`` stands for."""
        variant = named.partition(":")[2] or self.variants[0]
        return [f"{self.data}:{one}" for one in (self.variants if variant == "all" else (variant,))]


_scorers = {data: AnswerScorer(data, variants) for data, variants in VARIANTS.items()}
for _name in PARTS["scorer"]:
    register_scorer(_name, _scorers[_name.partition(":")[0]])
