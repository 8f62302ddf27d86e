"""Penn Treebank tokens without Java: the tokeniser of nltk with the conventions of pycocoevalcap around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from geo_lm4ve.files import UserError
from geo_lm4ve.language.tokeniser import Tokeniser

PUNCTUATION = frozenset(
    ("''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";")
)
"""Tokens that pycocoevalcap's ``PTBTokenizer`` drops. Texts are lower-cased before, so brackets survive as -lrb-."""
BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
"""Treebank's names of brackets, lower-cased."""
_TYPESET = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})
"""Typeset quotes and dots as Java reads them."""
_TAG = re.compile(r"(</?[a-z][^\s<>]*>)")
"""A mark such as </s>, which Java keeps whole and nltk takes apart."""
_ENDS = re.compile(r"(?:(?<=[^\W\d_]{2})|(?<=\d))(\.)(?=\s)|(?<=\w)(-)(?=\s|$)")
"""Full stops within a text, and hyphens that end a word: Java detaches them, nltk only the last full stop of a text."""

_PLAIN = re.compile(r"(?!.*\b(?:cannot|gimme|gonna|gotta|lemme|wanna)\b)[a-z0-9 ]*")
"""Texts that only fall apart at blanks, which most answers are: forty times as fast."""


class Treebank(Tokeniser):
    """The rules of the Penn Treebank, lower-cased, without punctuation, as ``Stanford`` has them.

    docs/question_answering.md lists where the two differ.
    """

    name = "treebank"

    def tokenise(self, texts: Sequence[str]) -> list[list[str]]:
        """Tokens of each text; UserError without nltk."""
        split = _splitter()
        return [_tokens(split, text) for text in texts]

    def lacks(self) -> str:
        """nltk, which needs none of its data for this."""
        try:
            _splitter()
        except UserError as error:
            return str(error)
        return ""


def _tokens(split: Callable[[str], list[str]], text: str) -> list[str]:
    text = text.lower().translate(_TYPESET)
    if _PLAIN.fullmatch(text):
        return text.split()
    parts = _TAG.split(text)  # every second part is a tag
    tokens = (
        token
        for number, part in enumerate(parts)
        for token in ([part] if number % 2 else split(_ENDS.sub(r" \1\2", part)))
    )
    return [BRACKETS.get(token, token) for token in tokens if token not in PUNCTUATION]


def _splitter() -> Callable[[str], list[str]]:
    try:
        from nltk.tokenize.treebank import TreebankWordTokenizer
    except ImportError as error:
        raise UserError("the treebank tokeniser needs nltk: pip install 'geo_lm4ve[questions]'") from error
    split: Callable[[str], list[str]] = TreebankWordTokenizer().tokenize
    return split
