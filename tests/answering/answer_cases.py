"""Answers whose scores by the published programs are known (pycocoevalcap 1.2, ScanQA, LEO, LLaVA-3D, 3D-LLM)."""

from __future__ import annotations

SHORT = (
    ["brown", "left side of the desk", "two", "round"],
    [["brown", "dark brown"], ["on the left side of the desk", "left of desk"], ["2", "two chairs"], ["rectangular"]],
)
"""Four answers, tokenised, with their references."""

TWELVE = (
    ("Brown", ["brown"]),
    ("2", ["two"]),
    ("the left side", ["on the left", "left side"]),
    ("brown table", ["table", "brown table"]),
    ("tv", ["TV"]),
    ("chair.", ["chair"]),
    ("a chair, and a desk", ["chair and desk"]),
    ("to the rigth of the  door", ["to the right of the door"]),
    ("", ["black"]),
    ("no", ["none", "north"]),
    ("12 o' clock", ["12 o'clock"]),
    ("2 chairs\nand 3 desks</s>", ["two chairs"]),
)
"""Twelve answers that the protocols clean and score differently."""


def tokens(texts: list[str]) -> list[list[str]]:
    return [text.split(" ") for text in texts]


def tokenised(answers: list[str], references: list[list[str]]) -> tuple[list[list[str]], list[list[list[str]]]]:
    return tokens(answers), [tokens(right) for right in references]
