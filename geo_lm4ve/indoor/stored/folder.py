"""Where everything lies in a prepared folder.

scans/<scan>.safetensors    a room
questions/<split>.json      the official annotations of a split; SQA3D's questions beside it, <split>_questions.json
answer_dict.json            SQA3D's classes of answers, where they were there
answers.json                answer -> how often train gives it
mean_sizes.json             mean size of the boxes of each class in the scans of train
report.json                 what was found
manifest.json               questions of each split; written last
"""

from __future__ import annotations

from pathlib import Path

from geo_lm4ve.words import component

SCANS, QUESTIONS = "scans", "questions"
ANSWERS, MEAN_SIZES, CLASSES, REPORT = "answers.json", "mean_sizes.json", "answer_dict.json", "report.json"
SUFFIX = ".safetensors"


def room_file(root: Path, scan: str) -> Path:
    """Where a room lies."""
    return root / SCANS / f"{component(scan)}{SUFFIX}"


def annotation_file(root: Path, split: str) -> Path:
    """Where the annotations of a split lie; with SQA3D its answers."""
    return root / QUESTIONS / f"{split}.json"


def question_file(root: Path, split: str) -> Path:
    """Where SQA3D's questions of a split lie."""
    return root / QUESTIONS / f"{split}_questions.json"
