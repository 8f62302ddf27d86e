"""Official answer vocabularies: which answers a classifier can give at all."""

from __future__ import annotations

from pathlib import Path

from geo_lm4ve.answering.files.json_text import strict_json
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.reading import reader


@reader(DataError, "an answer vocabulary", "give answer_vocab.json (ScanQA) or answer_dict.json (SQA3D)")
def read_vocabulary(path: Path) -> frozenset[str]:
    """The answers of a file.

    ScanQA's training writes ``answer_vocab.json``, {answer: count}; SQA3D comes with ``answer_dict.json``,
    [{answer: class}, {class: answer}].

    Raises:
        DataError: it is neither, or empty.
    """
    value = strict_json(path.read_text(encoding="utf-8"))
    if isinstance(value, list) and len(value) == 2:
        value = value[0]
    if not isinstance(value, dict) or not all(type(one) is int for one in value.values()):
        raise ValueError("it is no mapping of answers to whole numbers, nor a list of two mappings")
    if not value:
        raise ValueError("it holds no answer")
    return frozenset(value)
