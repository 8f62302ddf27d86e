"""Words of questions and descriptions, as word vectors know them."""

from __future__ import annotations

import re
from enum import Enum
from itertools import islice

UNKNOWN = "unk"
"""What stands for a text without any word."""
_TYPESET = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_ENDING = r"n't|'(?:s|m|d|re|ve|ll)"
_ENDED = re.compile(rf"(?<=\w)({_ENDING})(?!\w)")
_WORD = re.compile(rf"(?:{_ENDING})(?!\w)|\d+(?:[.,:/]\d+)+|\w+(?:[-'/]\w+)*|[^\w\s]")


class WordRule(Enum):
    """How a text falls apart into words.

    Attributes:
        plain: lower case, and every punctuation mark is a word; contractions are two (``do n't``, ``it 's``), numbers
            (``10:30``) and words with a hyphen or an apostrophe inside (``left-hand``, ``o'clock``) are one. As the
            tokeniser of English that spaCy has does it (and ``Treebank`` here, which drops punctuation instead), but
            for hyphens, which spaCy splits, and spaCy's lists of abbreviations and emoticons, which are not here.
        scanqa: as the code of ScanQA does it (``lib/dataset.py``), which gives its spaCy tokeniser no rules: a word
            ends at white space and before ``?`` only, and keeps its case. GloVe's words of ``glove.6B`` are in lower
            case, so that the ``What`` of a question and a word with a comma behind it are unknown words there. White
            space that stands several times in a row is a token for spaCy, and nothing here.
    """

    plain = "plain"
    scanqa = "scanqa"


def words_of(text: str, longest: int, rule: WordRule = WordRule.plain) -> list[str]:
    """The first words of a text; ``[UNKNOWN]`` for one without any.

    Args:
        text: as it was typed.
        longest: words at most (ScanQA: 36; SQA3D: 100).
        rule: how it falls apart.
    """
    if rule is WordRule.scanqa:
        return text.replace("?", " ?").split()[:longest] or [UNKNOWN]
    text = _ENDED.sub(r" \1", text.lower().translate(_TYPESET))
    return [match[0] for match in islice(_WORD.finditer(text), longest)] or [UNKNOWN]
