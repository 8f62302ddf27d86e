import pytest

from geo_lm4ve.answering.questions import scanqa_type, sqa3d_type


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Where is the desk?", "Place"),
        ("What is the place Where he sits?", "Place"),
        ("How many chairs are there?", "Number"),
        ("What color is the chair?", "Color"),
        ("What is the color of the chair?", "Color"),
        ("What kind of bed is there?", "Object nature"),
        ("What is on the desk?", "Object"),
        ("what is on the desk?", "Other"),
        ("Which chair is taller?", "Other"),
    ],
)
def test_types_of_scanqa_are_told_by_phrases_as_written(question, kind):
    assert scanqa_type(question) == kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is behind me?", "what"), ("  is it on?", "is"), ("Isn't it on?", "is"), ("Whatever is left?", "what"),
        ("HOW many?", "how"), ("Can I see it?", "can"), ("Which is nearer?", "which"), ("Am I alone?", "others"),
    ],
)  # fmt: skip
def test_types_of_sqa3d_are_told_by_first_letters(question, kind):
    assert sqa3d_type(question) == kind
