"""A word embedding that is trained with the model, without a vocabulary."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import torch
from torch import nn

from geo_lm4ve.language.question_words import WordRule, words_of
from geo_lm4ve.language.text_encoder import TextEncoder, padded
from geo_lm4ve.language.texts import Words

ROWS = 1 << 13
"""Rows of the table."""


class LearnedTexts(TextEncoder):
    """Words are numbered by their CRC-32 modulo ``ROWS`` (hashing trick; Weinberger et al. 2009).

    So no vocabulary has to be made, kept or shipped, and a word that training did not have gets some row, too. The
    price are words that share a row, which the model cannot tell apart: of 3,000 different words some 490 fall on a
    row that one before them has.

    Args:
        dim: width D of a word's vector.
        longest: words of a text at most.
        rule: how texts fall apart into words.
    """

    def __init__(self, dim: int, longest: int, rule: WordRule = WordRule.plain) -> None:
        super().__init__()
        self.dim, self.longest, self.rule = dim, longest, rule
        self.table = nn.Embedding(ROWS, dim)

    def encode(self, texts: Sequence[str]) -> Words:
        """See TextEncoder."""
        split = [words_of(text, self.longest, self.rule) for text in texts]
        rows = [zlib.crc32(word.encode(errors="surrogatepass")) % ROWS for words in split for word in words]
        vectors = self.table(torch.tensor(rows).to(self.table.weight.device, non_blocking=True))
        return padded(vectors, [len(words) for words in split])

    def describe(self) -> str:
        """See TextEncoder."""
        return f"learned ({ROWS:,} rows of {self.dim} numbers, trained, words by the rule {self.rule.name})"
