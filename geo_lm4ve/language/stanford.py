"""Penn Treebank tokens by Stanford's Java program, as pycocoevalcap runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from geo_lm4ve.files import UserError
from geo_lm4ve.language.java import lacking, programs, run_lines
from geo_lm4ve.language.tokeniser import Tokeniser
from geo_lm4ve.language.treebank import PUNCTUATION

JAR = "tokenizer/stanford-corenlp-3.4.1.jar"
_WHAT = "the java tokeniser"
CLASS = "edu.stanford.nlp.process.PTBTokenizer"
_BREAKS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\0]")
"""What could end a line: pycocoevalcap replaces the first, the others would shift its answers against the questions."""


class Stanford(Tokeniser):
    """``PTBTokenizer`` of CoreNLP 3.4.1, lower-cased, without punctuation (pycocoevalcap ``ptbtokenizer.py``)."""

    name = "java"

    def tokenise(self, texts: Sequence[str]) -> list[list[str]]:
        """Tokens of each text, all in one run of Java.

        Raises:
            UserError: Java or pycocoevalcap is missing, or Java does not give one line for each text.
        """
        folder = programs(_WHAT, JAR)
        arguments = ["-cp", str(folder / JAR), CLASS, "-preserveLines", "-lowerCase"]
        lines = run_lines(arguments, [_BREAKS.sub(" ", text) for text in texts], folder=folder)
        if len(lines) != len(texts):
            raise UserError(f"Java's tokeniser gave {len(lines)} lines for {len(texts)} texts; use treebank instead")
        return [[token for token in line.rstrip().split(" ") if token and token not in PUNCTUATION] for line in lines]

    def lacks(self) -> str:
        """Java and pycocoevalcap."""
        return lacking(_WHAT, JAR)
