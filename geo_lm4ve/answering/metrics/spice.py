"""SPICE: the agreement of scene graphs, by the Java program of pycocoevalcap."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from geo_lm4ve.answering.metrics.base import AnswerError, MeanMetric, pairs
from geo_lm4ve.files import to_json
from geo_lm4ve.language.java import lacking, programs, run_lines
from geo_lm4ve.reading import reading

JAR = "spice/spice-1.0.jar"
MODELS = tuple(f"spice/lib/stanford-corenlp-3.6.0{part}.jar" for part in ("", "-models"))
"""Of the parser (0.4 GB), which pycocoevalcap fetches: ``pycocoevalcap.spice.get_stanford_models``."""


class Spice(MeanMetric[Sequence[str], Sequence[str]]):
    """Mean of the items' F over the tuples of their scene graphs ("All"), as pycocoevalcap 1.2 prints it.

    It needs Java and pycocoevalcap with the models of its parser. SPICE 1.0 is from 2016: users report that it fails on
    Java 16 and later, and that Java 8 and 11 run it.
    """

    names = ("SPICE",)

    def measure(
        self, answers: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
    ) -> Float64[np.ndarray, "n 1"]:
        """F of each item, in one run of Java; UserError if Java, pycocoevalcap or a model is missing or Java fails."""
        folder = programs("SPICE", JAR, *MODELS)
        asked = [
            {"image_id": number, "test": " ".join(answer), "refs": [" ".join(one) for one in right]}
            for number, (answer, right) in enumerate(pairs(answers, references))
        ]
        return _run(folder, asked)[:, None]

    def lacks(self) -> str:
        """Java, pycocoevalcap and the models of the parser."""
        return lacking("SPICE", JAR, *MODELS)


def _run(folder: Path, asked: Sequence[Mapping[str, Any]]) -> Float64[np.ndarray, " n"]:
    with tempfile.TemporaryDirectory() as place:
        given, result = Path(place, "given.json"), Path(place, "result.json")
        given.write_text(to_json(asked), encoding="utf-8")
        files = [str(given), "-cache", place, "-out", str(result), "-subset", "-silent"]
        run_lines(["-Xmx8G", "-jar", str(folder / JAR), *files], [], folder=folder / "spice")
        with reading(result, AnswerError, "what SPICE writes", "run it again"):
            rows = json.loads(result.read_text(encoding="utf-8"))
            found = {row["image_id"]: float(row["scores"]["All"]["f"]) for row in rows}
            return np.array([found[number] for number in range(len(asked))], np.float64)
