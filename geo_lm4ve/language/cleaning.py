"""How published evaluations clean answers before they compare them."""

from __future__ import annotations

import re

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_SPELLINGS = (("let", "left"), ("tehre", "there"), ("rigth", "right"), ("rght", "right"), ("behine", "behind"))
_MORE_SPELLINGS = (("tv", "TV"), ("chai", "chair"), ("wasing", "washing"), ("waslked", "walked"), ("oclock", "o'clock"))


def _word(spelt: str) -> str:
    return rf"\b{spelt}\b"


_RULES = tuple(
    (re.compile(pattern), becomes)
    for pattern, becomes in (
        ("[ ]+$", ""),
        ("^[ ]+", ""),
        (" {2,}", " "),
        (r"[^a-zA-Z0-9,'\s\-:]+", ""),
        (_word("letf"), "left"),
        *((_word(wrong), right) for wrong, right in (*_SPELLINGS, *_MORE_SPELLINGS)),
        (r"\bo'[ ]+clock\b", "o'clock"),
        (_word("none"), "zero"),
        *((_word(str(number)), word) for number, word in enumerate(_NUMBERS)),
        (_word("23"), "twenty-three"),
        (r"\b([a-zA-Z]+)[0-9]\b", r"\1"),
        *((rf"\b{article}\b ([a-zA-Z]+)", r"\1") for article in ("a", "an", "the")),
        (_word("backwards"), "backward"),
    )
)
"""In the order of the code; its rules about ". ", "ç" and "’" follow one that has removed these, and are left out."""


def clean(text: str) -> str:
    """LEO's ``clean_answer`` (``data/data_utils.py``; first SQA3D's ``LLM/eval_sqa3d_llm.py``), used by many since.

    Lower case, single blanks, only letters, digits, blanks and , ' - : kept, numbers in words (0-20 and 23), "none" is
    "zero", articles before a word dropped, ten misspellings mended, "tv" written "TV".
    """
    text = text.lower()
    for pattern, becomes in _RULES:
        text = pattern.sub(becomes, text)
    return text


def first_line(text: str) -> str:
    """3D-LLM's ``calculate_score_scanqa.py``, of predictions alone: no commas, no marks of T5, the first line."""
    for mark in (",", "<pad>", "</s>"):
        text = text.replace(mark, "")
    return text.strip().split("\n")[0]


def single_blanks(text: str) -> str:
    """LL3DA's ``eval_utils/evaluate_qa.py``, of predictions alone: blanks around and repeated ones dropped."""
    return " ".join(filter(None, text.split(" ")))


def first_characters(text: str, count: int = 512) -> str:
    """The beginning of a text, as lmms-eval takes of predictions in LLaVA-Interleave-Bench."""
    return text[:count]
