"""Cleanings of published evaluations, on texts that their own code has cleaned."""

from __future__ import annotations

import pytest

from geo_lm4ve.language.cleaning import clean, first_characters, first_line, single_blanks


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Brown", "brown"),
        ("2", "two"),
        ("the left side", "left side"),
        ("on the left", "on left"),
        ("tv", "TV"),
        ("chair.", "chair"),
        ("a chair, and a desk", "chair, and desk"),
        ("to the rigth of the  door", "to right of door"),
        ("", ""),
        ("none", "zero"),
        ("12 o' clock", "twelve o'clock"),
        ("12 o'clock", "twelve o'clock"),
        ("2 chairs\nand 3 desks</s>", "two chairs\nand three deskss"),
        ("  23 letf oclock ", "twenty-three left o'clock"),
        ("mat2 backwards", "mat backward"),
        ("21 the", "21 the"),
    ],
)
def test_clean_answer_of_leo(text: str, cleaned: str):
    assert clean(text) == cleaned


def test_first_line_of_3d_llm():
    assert first_line("a chair, and a desk") == "a chair and a desk"
    assert first_line("<pad> 2 chairs\nand 3 desks</s>") == "2 chairs"
    assert first_line("") == ""


def test_single_blanks_of_ll3da():
    assert single_blanks("  to the   door\n ") == "to the door\n"


def test_first_characters_of_lmms_eval():
    assert first_characters("x" * 600) == "x" * 512
