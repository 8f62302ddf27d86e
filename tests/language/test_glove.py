"""Word vectors out of files of GloVe: how they are read, kept and looked up."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
import torch
from text_models import GLOVE, write_glove

from geo_lm4ve.files import UserError
from geo_lm4ve.language.glove import GloveTexts
from geo_lm4ve.language.glove_store import MANIFEST, VECTORS, WORDS, word_vectors
from geo_lm4ve.language.glove_text import GloveText
from geo_lm4ve.language.question_words import WordRule
from geo_lm4ve.language.text_encoder import TextError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "glove"


def test_words_get_their_vectors_and_others_that_of_unk(tmp_path: Path):
    encoder = GloveTexts(write_glove(tmp_path / "glove.txt"), 36)
    words = encoder(["What is a desk?", "", "DESK"])
    assert words.lengths == (5, 1, 1)
    assert encoder.dim == 3
    unk = GLOVE["unk"]
    wanted = [GLOVE["what"], GLOVE["is"], unk, GLOVE["desk"], GLOVE["?"]]
    assert torch.equal(words.vectors[0], torch.tensor(wanted, dtype=torch.float32))
    assert torch.equal(words.vectors[1:, 0], torch.tensor([unk, GLOVE["desk"]], dtype=torch.float32))
    assert not words.vectors[1:, 1:].any()


def test_the_rule_of_scanqa_makes_unknown_words_of_capitals(tmp_path: Path):
    encoder = GloveTexts(write_glove(tmp_path / "glove.txt"), 36, WordRule.scanqa)
    assert encoder(["What"]).vectors.tolist() == [[list(GLOVE["unk"])]]


def test_another_name_of_the_unknown_word(tmp_path: Path):
    path = tmp_path / "glove.txt"
    path.write_text("<unk> 1 2\na 3 4\n")
    assert GloveTexts(path, 5)(["b a"]).vectors.tolist() == [[[1, 2], [3, 4]]]
    path.write_text("a 3 4\n")
    with pytest.raises(TextError, match="has no vector for unknown words: add a line that begins with unk"):
        GloveTexts(path, 5)


def packed(path: Path, kind: str) -> Path:
    content = write_glove(path / "plain.txt").read_bytes()
    if kind == "gz":
        (path / "glove.gz").write_bytes(gzip.compress(content))
        return path / "glove.gz"
    with zipfile.ZipFile(path / "glove.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("glove.txt", content)
    return path / "glove.zip"


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_packed_files_hold_the_same(tmp_path: Path, kind: str):
    found = word_vectors(packed(tmp_path, kind))
    assert found[list(GLOVE)].tolist() == [list(vector) for vector in GLOVE.values()]


def test_a_zip_with_several_files_is_refused_by_their_names(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        for name in ("glove.50d.txt", "glove.300d.txt"):
            archive.writestr(name, "unk 1\n")
    with pytest.raises(TextError, match=r"should hold one .txt file, it holds glove.50d.txt, glove.300d.txt; unpack"):
        word_vectors(tmp_path / "glove.zip")


def test_a_file_is_read_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_glove(tmp_path / "glove.txt")
    first = word_vectors(path)

    def refuse(self: GloveText) -> None:
        raise AssertionError("read again")

    with monkeypatch.context() as patch:
        patch.setattr(GloveText, "block", refuse)
        again = word_vectors(path)
        assert again[["desk", "unk"]].tolist() == first[["desk", "unk"]].tolist()
        assert again.facts == first.facts
    path.write_text("unk 7\n")
    assert word_vectors(path)[["unk"]].tolist() == [[7]]  # it has changed


@pytest.mark.parametrize("name", [MANIFEST, WORDS, VECTORS])
def test_damaged_keepings_are_made_again_and_that_is_said(
    name: str, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
):
    path = write_glove(tmp_path / "glove.txt")
    word_vectors(path)
    (kept,) = cache.glob(f"*/{name}")
    kept.write_bytes(kept.read_bytes()[:-3])
    assert word_vectors(path)[["desk"]].tolist() == [[-1, 0, 2]]
    assert "is cut off, damaged or not kept word vectors" in capsys.readouterr().err


def test_a_damaged_row_is_found_when_it_is_looked_up(tmp_path: Path, cache: Path):
    path = write_glove(tmp_path / "glove.txt")
    word_vectors(path)
    (kept,) = cache.glob(f"*/{VECTORS}")
    content = bytearray(kept.read_bytes())
    content[-8] ^= 1  # of the last word, "?"
    kept.write_bytes(content)
    found = word_vectors(path)
    assert found[["desk"]].tolist() == [[-1, 0, 2]]
    with pytest.raises(TextError, match=r"the vector of '\?' in .* is damaged; delete its folder"):
        found[["desk", "?"]]


def test_repeated_words_are_told_and_the_first_line_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "glove.txt"
    path.write_text("unk 1\nunk 2\na 3\n")
    found = word_vectors(path)
    assert found[["unk", "a"]].tolist() == [[1], [3]]
    assert (found.facts.words, found.facts.repeated) == (2, 1)
    assert "1 lines repeat a word; the first line of each counts" in capsys.readouterr().err


def test_words_may_hold_blanks(tmp_path: Path):
    path = tmp_path / "glove.txt"
    path.write_text("unk 1 2\n. . . 3 4\nat name@domain.com 5 6\n")
    assert word_vectors(path)[[". . .", "at name@domain.com"]].tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"unk 1 2\nis 1\n", "line 2 has 1 numbers, line 1 has 2"),
        (b"unk 1 2\nis 1 2 3\n", "line 2 has 3 numbers, line 1 has 2"),
        (b"unk 1 2\n\n", "line 2 has 0 numbers, line 1 has 2"),
        (b"400000 3\nunk 1 2 3\n", "line 2 has 3 numbers, line 1 has 1"),
        (b"unk\n", "line 1 has 0 numbers, 1 to 4096 are a vector"),
        (b"unk 1 nan\n", "line 1 holds a number that is not finite"),
        (b"unk 1 1e300\n", "line 1 holds a number that is not finite"),
        (b"unk 1 two\n", "line 1: could not convert string to float: b'two'"),
        (b"unk 1\n\xff 2\n", "line 2: the word is not UTF-8"),
        (b"unk " + b"1 " * 40_000, "line 1 has over 65,536 bytes"),
        (b"\x1f\x8b\x08\x00", "is cut off, damaged"),
        (b"PK\x03\x04", "is cut off, damaged"),
        (b"\x80\x04\x95", r"is a pickle, which could run code when loaded, .* write it as text, python -c"),
    ],
)
def test_bad_files_are_refused_with_the_line(tmp_path: Path, cache: Path, content: bytes, message: str):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(TextError, match=message) as raised:
        word_vectors(path)
    assert str(path) in str(raised.value)
    assert not [left for left in cache.rglob("*") if left.is_file()]


def test_a_member_that_claims_more_than_it_can_hold_is_not_unpacked(tmp_path: Path):
    content = bytearray(packed(tmp_path, "zip").read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2_000_000_000).to_bytes(4, "little")
    (tmp_path / "claims.zip").write_bytes(content)
    with pytest.raises(TextError, match=r"glove.txt in it would take 2,000,000,000 bytes, the file has"):
        word_vectors(tmp_path / "claims.zip")


def test_the_conversion_that_the_refusal_of_a_pickle_names_works(tmp_path: Path):
    import pickle
    import re
    import subprocess
    import sys

    import numpy as np

    (tmp_path / "glove.p").write_bytes(pickle.dumps({"unk": np.array([0.5, -1.25]), "is": np.array([1.0, 2.0])}))
    with pytest.raises(TextError) as raised:
        word_vectors(tmp_path / "glove.p")
    program = re.search('python -c "(.+)" > glove.txt', str(raised.value))[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / "glove.txt").write_bytes(done.stdout)
    assert word_vectors(tmp_path / "glove.txt")[["unk", "is"]].tolist() == [[0.5, -1.25], [1, 2]]


def test_without_a_file_it_is_built_and_the_first_text_says_what_is_missing(tmp_path: Path):
    encoder = GloveTexts(None, 36)
    assert encoder.dim == 300
    assert encoder.describe() == "glove (no file)"
    assert not encoder.state_dict()
    with pytest.raises(UserError, match=r"needs a file of GloVe: get glove.6B.zip from nlp.stanford.edu"):
        encoder(["What?"])
    with pytest.raises(TextError, match=r"there is no file .*none.txt: GloVe's are to be had from nlp.stanford.edu"):
        GloveTexts(tmp_path / "none.txt", 36)
