"""Lemmas out of WordNet's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from wordnet_files import write_folder, write_zip

from geo_lm4ve.language.wordnet import WordNetError, find_wordnet, read_wordnet


@pytest.mark.parametrize("write", [lambda root: write_folder(root / "wn"), lambda root: write_zip(root / "wn.zip")])
def test_lemmas_of_nouns(write, tmp_path: Path):
    lemma = read_wordnet(write(tmp_path)).lemma
    assert [lemma(word) for word in ("chairs", "chair", "men", "wolves", "desks", "Chairs", "")] == [
        "chair", "chair", "man", "wolf", "desks", "Chairs", "",
    ]  # fmt: skip
    assert lemma("us") == "u"  # the shortest lemma, as nltk has it
    assert lemma("aardwolves") == "aardwolves"  # an exception whose lemma is no noun of this WordNet


def test_places_are_looked_through_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WNSEARCHDIR", raising=False)
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "data"))
    packed = write_zip(tmp_path / "data/corpora/wordnet.zip")
    assert find_wordnet() == packed
    open_folder = write_folder(tmp_path / "data/corpora/wordnet")
    assert find_wordnet() == open_folder
    monkeypatch.setenv("WNSEARCHDIR", str(write_folder(tmp_path / "own")))
    assert find_wordnet() == tmp_path / "own"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("index.noun", b"  1 licence only\n", "index.noun holds no noun"),
        ("noun.exc", b"wolves\n", "noun.exc gives no lemma of 'wolves'"),
        ("index.noun", b"\xff\xfe", "is cut off, damaged or not a WordNet database"),
    ],
)
def test_damaged_files_are_named(name: str, content: bytes, message: str, tmp_path: Path):
    place = write_folder(tmp_path / "wn")
    (place / name).write_bytes(content)
    with pytest.raises(WordNetError, match=message):
        read_wordnet(place)
    (place / name).unlink()
    with pytest.raises(WordNetError, match=f"{name} is missing; install it again"):
        read_wordnet(place)
