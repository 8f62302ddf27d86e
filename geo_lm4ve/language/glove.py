"""Vectors of GloVe, out of a file of the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from geo_lm4ve.files import UserError
from geo_lm4ve.language.glove_store import word_vectors
from geo_lm4ve.language.glove_text import SITE
from geo_lm4ve.language.question_words import UNKNOWN, WordRule, words_of
from geo_lm4ve.language.text_encoder import TextEncoder, TextError, padded
from geo_lm4ve.language.texts import Words
from geo_lm4ve.slim import WeightReference

WIDTH = 300
"""Numbers of a vector in the files that ScanQA and SQA3D use."""


class GloveTexts(TextEncoder):
    """Words looked up in a file; those that are not in it get the vector of ``unk`` (as in ScanQA), or ``<unk>``.

    The vectors stay on the host, those of the words at hand are moved to the device. They are in no checkpoint.

    Args:
        source: a file in GloVe's text format (.txt, .gz, .zip); None: none is at hand, and the first text says so.
        longest: words of a text at most.
        rule: how texts fall apart into words.

    Attributes:
        place: empty; on the device and of the kind that vectors are given in.

    Raises:
        TextError: the file is missing, damaged, or has no vector for unknown words.
    """

    place: Tensor

    def __init__(self, source: Path | str | None, longest: int, rule: WordRule = WordRule.plain) -> None:
        super().__init__()
        self.longest, self.rule = longest, rule
        self.register_buffer("place", torch.empty(0), persistent=False)
        self.vectors = None if source is None else word_vectors(source)
        self.dim = WIDTH if self.vectors is None else self.vectors.facts.dim
        if self.vectors is not None:
            self.unknown = next((word for word in (UNKNOWN, f"<{UNKNOWN}>") if word in self.vectors), "")
            if not self.unknown:
                raise TextError(f"{source} has no vector for unknown words: add a line that begins with {UNKNOWN}")
            self.refer(WeightReference(self.vectors.facts.name, self.vectors.facts.sha256))

    def encode(self, texts: Sequence[str]) -> Words:
        """See TextEncoder."""
        if self.vectors is None:
            raise UserError(
                f"the text encoder glove needs a file of GloVe: get glove.6B.zip from {SITE}, unpack glove.6B.300d.txt "
                "and name it as the encoder's source, or choose another kind of text encoder (minilm, learned)"
            )
        split = [words_of(text, self.longest, self.rule) for text in texts]
        known = [word if word in self.vectors else self.unknown for words in split for word in words]
        return padded(torch.from_numpy(self.vectors[known]).to(self.place), [len(words) for words in split])

    def describe(self) -> str:
        """See TextEncoder."""
        if self.vectors is None:
            return "glove (no file)"
        facts = self.vectors.facts
        return (
            f"glove ({facts.name}, {facts.words:,} words, {facts.dim} numbers each, sha256 {facts.sha256[:12]}…, "
            f"words by the rule {self.rule.name})"
        )
