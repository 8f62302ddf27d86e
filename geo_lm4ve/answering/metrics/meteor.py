"""METEOR 1.5: its Java program counts what agrees, the score is put together here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import AnswerError, Metric, pairs
from geo_lm4ve.language.java import lacking, programs, run_lines

JAR, PARAPHRASES = "meteor/meteor-1.5.jar", "meteor/data/paraphrase-en.gz"
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
"""Parameters for English, task "rank", the default (``Constants.java``): weight of recall, shape and weight of the
penalty on fragments, weight of content words against function words."""
WEIGHTS = (1.0, 0.6, 0.8, 0.6)
"""Of matches that are exact, of stems, of synonyms and of paraphrases."""
COLUMNS = 23
"""Numbers of a line of statistics: lengths of answer and reference, their function words, matches (4 kinds x content
words of the answer, of the reference, function words of the answer, of the reference), chunks, matched words of
both."""


class Meteor(Metric[Sequence[str], Sequence[str]]):
    """METEOR of the whole set, out of the sums of its items' statistics, as pycocoevalcap 1.2 prints it.

    It needs Java and pycocoevalcap. METEOR of nltk is another algorithm and no replacement.
    """

    names = ("METEOR",)

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
    ) -> Float64[np.ndarray, "n 23"]:
        """Statistics of each item against its best reference, in one run of Java.

        Raises:
            UserError: Java or pycocoevalcap is missing, or Java's lines are not METEOR's statistics.
        """
        folder = programs("METEOR", JAR, PARAPHRASES)
        lines = [_line(answer, right) for answer, right in pairs(answers, references)]
        arguments = ["-Xmx2G", "-jar", str(folder / JAR), "-", "-", "-stdio", "-l", "en", "-norm"]
        rows = [line.split() for line in run_lines(arguments, lines, folder=folder / "meteor")]
        if len(rows) != len(lines) or any(len(row) != COLUMNS for row in rows):
            raise AnswerError(f"METEOR's Java program gave {len(rows)} lines of statistics for {len(lines)} answers")
        return without_whole_chunks(np.array(rows, np.float64).reshape(-1, COLUMNS))

    def values(
        self, sums: Float64[np.ndarray, "*b k"], count: Float64[np.ndarray, "*b"] | float
    ) -> Float64[np.ndarray, "*b v"]:
        """``MeteorScorer.computeMetrics``: weighted F, less a penalty on how many chunks the matches fall into."""
        lengths, function = sums[..., 0:2], sums[..., 2:4]
        matches = sums[..., 4:20].reshape(*sums.shape[:-1], 4, 4)
        chunks, matched = sums[..., 20], sums[..., 21:23]
        by_word = np.array(WEIGHTS) @ (DELTA * matches[..., 0:2] + (1 - DELTA) * matches[..., 2:4])
        whole = DELTA * (lengths - function) + (1 - DELTA) * function
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = np.moveaxis(by_word / whole, -1, 0)
            mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
            score = mean * (1 - GAMMA * (chunks / matched.mean(-1)) ** BETA)
        return np.maximum(np.nan_to_num(score, nan=0.0), 0)[..., None]

    def lacks(self) -> str:
        """Java and pycocoevalcap."""
        return lacking("METEOR", JAR, PARAPHRASES)


def without_whole_chunks(statistics: Float64[np.ndarray, "n 23"]) -> Float64[np.ndarray, "n 23"]:
    """Answers that match word for word count no chunk, alone and in sums (``MeteorScorer``, ``MeteorStats``)."""
    lengths, chunks, matched = statistics[:, 0:2], statistics[:, 20], statistics[:, 21:23]
    whole = (matched == lengths).all(1) & (chunks == 1)
    return np.where(whole[:, None] & (np.arange(COLUMNS) == 20), 0, statistics)


def _line(answer: Sequence[str], right: Sequence[Sequence[str]]) -> str:
    said = " ".join(answer).replace("|||", "").replace("  ", " ")
    line = " ||| ".join(("SCORE", *(" ".join(one) for one in right), said))
    return line.replace("\n", " ").replace("\r", " ")
