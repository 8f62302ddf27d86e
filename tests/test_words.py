"""Properties of the helpers over any text; the roads that such names take: end_to_end/test_hostile_names.py."""

import io
import json
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from geo_lm4ve import words
from geo_lm4ve.files import to_json
from geo_lm4ve.notice import say
from geo_lm4ve.progress import Meter

TEXT = st.text(st.characters(codec=None), max_size=40)
"""Any text, lone surrogates (of file names that are no UTF-8) included."""
ACTING = "\x1b\x07\r\x00\x9b\u202e\u2066\u200f\ufeff\u2028\udcff\ufffe"


def shown(thing):
    stream = io.StringIO()
    Console(file=stream, width=4000, force_terminal=False).print(thing, soft_wrap=True)
    return stream.getvalue()


@pytest.mark.parametrize("one", ACTING)
def test_what_acts_is_spelt_out(one):
    assert words.line(f"a{one}b") == f"a{one.encode('unicode_escape').decode()}b" != f"a{one}b"


def test_what_shows_stays():
    for text in ("椅子 Straße", "می\u200cخواهم", "👩\u200d🚀", "a\u00a0b", "C:\\temp [b] :car:"):
        assert words.line(text) == words.lines(text) == text


@given(TEXT)
@example("a\nb\tc\r\n\x1b[31m")
def test_lines_keep_breaks_and_a_line_has_none(text):
    assert words.line(text).isascii() or not set(words.line(text)) & set(ACTING)
    assert len(words.line(text).splitlines()) <= 1
    assert words.lines(text).split("\n") == [words.lines(part) for part in text.split("\n")]
    words.lines(text).encode()


@given(TEXT)
@example("[/b]")
@example("[red]x[/]\\")
@example(":car:[link=file:///x]")
def test_rich_shows_a_text_as_it_is(text):
    assert shown(words.marked((text, "bold"), "·", text)) == f"{words.line(text)}·{words.line(text)}\n"


@pytest.mark.parametrize("name", ["[/b]", "[bold]", ":car:", "a\\", "x\x1b[2Jy"])
def test_every_place_of_a_table_shows_a_name_as_it_is(name):
    table = Table(title=words.marked((name, "table.title")), caption=words.marked(name))
    table.add_column(words.marked(name))
    table.add_row(words.marked(name))
    assert shown(table).count(words.line(name)) == 4


def test_what_is_said_on_the_way_is_one_line(capsys):
    say("unpacking a\x1b[2J\nerror: all is lost")
    with Meter("read \x1b]0;title\x07", 3, announced=True):
        pass
    assert capsys.readouterr().err.splitlines() == [
        "unpacking a\\x1b[2J\\nerror: all is lost",
        "read \\x1b]0;title\\x07: 3 samples",
    ]


def test_a_failure_is_shown_with_its_notes():
    error = ValueError("a\x1b[2J is damaged\nnext: get it again")
    error.add_note("in \u202egnp.exe")
    assert words.failure(error) == "error: a\\x1b[2J is damaged\nnext: get it again\nin \\u202egnp.exe"


NAMES = st.one_of(TEXT, st.sampled_from(["", ".", "..", "a/b", "-rf", "a\\b", " a", "椅" * 90, "x" * 300, "~"]))


@given(NAMES, NAMES)
@example("a/b", "a_b")
def test_components_are_single_and_tell_names_apart(one, other):
    made = words.component(one)
    assert Path(os.path.normpath(Path("root") / made)).parts == ("root", made)
    assert words.unfit(made) is None
    assert (made == words.component(other)) == (one == other)


def test_a_name_that_looks_like_a_made_one_is_another():
    made = words.component("a/b")
    assert words.component(made) != made


@pytest.mark.parametrize("name", ["smollm2_135m", "a name, with (brackets) [1]", "椅子", "x" * 255, "v1.0", "a~b"])
def test_a_name_that_is_fit_stays(name):
    assert words.unfit(name) is None
    assert words.component(name) == name


class Parsed(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.text, self.attributes = "", {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes |= dict(attrs)

    def handle_data(self, data):
        self.text += data


@given(TEXT)
@example("\"'><script>alert(1)</script>&amp;\x00\x80")
def test_html_holds_a_text_as_it_is(text):
    parsed = Parsed(f'<p title="{words.html(text)}">{words.html(text)}</p>')
    assert parsed.text == parsed.attributes["title"] == words.lines(text)


@given(st.recursive(TEXT | st.none() | st.integers() | st.booleans(), lambda inner: st.lists(inner, max_size=4)))
@example("<!--<script>")
@example("</script>\u2028]]>")
def test_a_script_holds_json_as_it_is(value):
    held = words.script(to_json(value))
    assert json.loads(held) == value
    assert not set(held) & set("<>&\u2028\u2029\n")


@given(TEXT, st.integers(1, 50))
def test_short_keeps_both_ends(text, room):
    whole, cut = words.line(text), words.short(text, room)
    assert len(cut) == min(room, len(whole))
    ends = [(cut[:place], cut[place + 1 :]) for place, one in enumerate(cut) if one == "…"]
    assert cut == whole or any(whole.startswith(first) and whole.endswith(last) for first, last in ends)


def test_short_says_that_something_is_left_out():
    assert words.short("Connector_PinHeader", 19) == "Connector_PinHeader"
    assert words.short("Connector_PinHeader_1x40", 12) == "Connect…1x40"
