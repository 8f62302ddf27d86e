"""Counts of the n-grams of a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

LONGEST = 4
"""n of the longest n-grams of BLEU and CIDEr."""
Gram = tuple[str, ...]


def words(tokens: Sequence[str]) -> list[str]:
    """Words that BLEU and CIDEr of pycocoevalcap see: they get a text and split it at any white space."""
    return " ".join(tokens).split()


def grams(text: Sequence[str]) -> Counter[Gram]:
    """n-gram -> how often it occurs, for n = 1 to 4."""
    counts: Counter[Gram] = Counter()
    for size in range(1, min(LONGEST, len(text)) + 1):
        counts.update(zip(*(text[start:] for start in range(size))))
    return counts
