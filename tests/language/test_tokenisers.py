"""Tokens of the Penn Treebank with and without Java."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from geo_lm4ve.files import UserError
from geo_lm4ve.language.java import run_lines
from geo_lm4ve.language.stanford import Stanford
from geo_lm4ve.language.tokeniser import Blanks, Tokeniser
from geo_lm4ve.language.treebank import Treebank

KNOWN = {
    "On the left-hand side, near the TV's stand (2 chairs).": (
        "on the left-hand side near the tv 's stand -lrb- 2 chairs -rrb-"
    ),
    "it's 1/2 o'clock & $5": "it 's 1/2 o'clock & $ 5",
    "Gotta": "got ta",
    "Round.": "round",
    "": "",
    "the left side": "the left side",
    "a chair, and a desk": "a chair and a desk",
    "to the rigth of the  door": "to the rigth of the door",
    "12 o' clock": "12 o clock",
    "2 chairs\nand 3 desks</s>": "2 chairs and 3 desks </s>",
    "There are two. One is red": "there are two one is red",
    "it’s “round”…": "it 's round",
    "1,000 at 10:30": "1,000 at 10:30",
    "I cannot see": "i can not see",
    "[a] {b}": "-lsb- a -rsb- -lcb- b -rcb-",
}
"""Texts and what CoreNLP 3.4.1 on Java 17 makes of them."""


def nltk_tokens() -> Treebank:
    pytest.importorskip("nltk")
    return Treebank()


def java_tokens() -> Stanford:
    tokeniser = Stanford()
    if tokeniser.lacks():
        pytest.skip(tokeniser.lacks())
    return tokeniser


@pytest.mark.parametrize("make", [nltk_tokens, java_tokens])
def test_known_texts(make):
    tokeniser: Tokeniser = make()
    found = tokeniser.tokenise(list(KNOWN))
    assert [" ".join(tokens) for tokens in found] == list(KNOWN.values())
    assert not tokeniser.lacks()


def test_line_breaks_of_every_kind_shift_no_answer():
    texts = ["a\nb", "c\rd", "e\u2028f", "g\x85h", "i\x0bj", "", "k", ""]
    assert java_tokens().tokenise(texts) == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"], ["i", "j"], [], ["k"], []]


def test_plain_texts_take_a_short_way_to_the_same_tokens():
    tokeniser = nltk_tokens()
    texts = ["brown", "", " two  chairs ", "gonna", "can not", "cannot", "x2 3x", "Wanna LEMME", "gimmes"]
    short = tokeniser.tokenise(texts)
    assert [tokeniser.tokenise([f"{text}!"])[0] for text in texts] == short


def test_blanks_split_at_every_single_one():
    assert Blanks().tokenise(["a  B\nc", ""]) == [["a", "", "B\nc"], [""]]


def test_without_nltk_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch):
    importing = builtins.__import__

    def refuse(name: str, *rest, **more):
        if name.startswith("nltk"):
            raise ImportError(name)
        return importing(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert Treebank().lacks() == "the treebank tokeniser needs nltk: pip install 'geo_lm4ve[questions]'"
    with pytest.raises(UserError, match="needs nltk"):
        Treebank().tokenise(["a"])


def test_without_java_its_tokeniser_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert Stanford().lacks().startswith("the java tokeniser runs in Java, and there is no java on the path")
    with pytest.raises(UserError, match="runs in Java"):
        Stanford().tokenise(["a"])


def fake_java(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_failing_java_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fake_java(tmp_path, monkeypatch, "echo 'no such class' >&2; exit 3")
    with pytest.raises(UserError, match=r"java .* ended with code 3: no such class"):
        run_lines(["X"], ["a"], folder=tmp_path)


def test_java_that_loses_lines_is_no_tokeniser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fake_java(tmp_path, monkeypatch, "echo one")
    (tmp_path / "pycocoevalcap/tokenizer").mkdir(parents=True)
    (tmp_path / "pycocoevalcap/tokenizer/stanford-corenlp-3.4.1.jar").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="gave 1 lines for 2 texts; use treebank instead"):
        Stanford().tokenise(["a", "b"])
