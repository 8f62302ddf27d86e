"""Words of questions by both rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_lm4ve.language.question_words import UNKNOWN, WordRule, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is left of the desk?", "what is left of the desk ?"),
        ("Isn’t the chair’s back round, too?", "is n't the chair 's back round , too ?"),
        ("Sit at 12 o'clock; 10:30, 1,000.5 m.", "sit at 12 o'clock ; 10:30 , 1,000.5 m ."),
        ("the left-hand side (behind me)", "the left-hand side ( behind me )"),
        ("I'm here, don't they'll", "i 'm here , do n't they 'll"),
        ("left.Is it?", "left . is it ?"),
        ("", UNKNOWN),
        (" \n\t", UNKNOWN),
    ],
)
def test_words_of_questions(text: str, words: str):
    assert words_of(text, 100) == words.split()


def test_the_rule_of_scanqa_keeps_case_and_commas_and_splits_before_question_marks():
    assert words_of("What is left, of it?", 36, WordRule.scanqa) == ["What", "is", "left,", "of", "it", "?"]
    assert words_of("?", 36, WordRule.scanqa) == ["?"]
    assert words_of("  ", 36, WordRule.scanqa) == [UNKNOWN]


@pytest.mark.parametrize("rule", WordRule)
@given(text=st.text(max_size=60), longest=st.integers(1, 8))
def test_a_text_has_between_one_and_so_many_words_without_blanks_and_the_first_ones_stay(rule, text, longest):
    words = words_of(text, longest, rule)
    assert 1 <= len(words) <= longest
    assert not any(word.isspace() or not word for word in words)
    assert words_of(text, 1000, rule)[:longest] == words
