import json
import re

import pytest
from answer_files import scanqa_rows, write

from geo_lm4ve.answering.page import fitting
from geo_lm4ve.parts.scorer import main

EVIL = "</script><script>alert(1)</script>\u202e\x1b[31m"


@pytest.fixture
def page(tmp_path):
    data = write(tmp_path / "val.json", scanqa_rows([["a"], [EVIL], ["c"]], question=f"What is {EVIL}?"))
    said = write(tmp_path / "pred.json", {"val-scene-0": "a", "val-scene-1": EVIL})
    place = tmp_path / "page.html"
    main([
        "--predictions", str(said), "--data", str(data), "--protocol", "scanqa:leo", "--page", str(place),
        "--without", "METEOR",
    ])  # fmt: skip
    return place.read_text()


def rows(page):
    return json.loads(re.search(r'id="answers-data">(.*?)</script>', page, re.DOTALL)[1])["rows"]


def test_the_page_holds_every_answer_and_asks_no_network(page):
    assert [(row[0], row[6]) for row in rows(page)] == [
        ("val-scene-0", True), ("val-scene-1", True), ("val-scene-2", False),
    ]  # fmt: skip
    assert rows(page)[2][5] is None
    assert not re.search(r'(src|href)="?(https?:)?//', page)
    assert "all 3" in page
    assert "wrong 1" in page
    assert "<option>Object</option>" in page


def test_texts_from_files_do_nothing_in_the_page(page):
    assert "alert(1)</script>" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202e" in rows(page)[1][3]


def test_as_many_answers_are_shown_as_fit(monkeypatch, page):
    from geo_lm4ve.answering import page as module
    from geo_lm4ve.answering.items import Item

    items = [Item(str(n), "s", "Object", "q", "", "x" * 50, "x", ("a",), False, {"EM@1": 0.0}) for n in range(100)]
    assert fitting(items) == items
    monkeypatch.setattr(module, "MAX_BYTES", module.PAGE_BYTES + 5000)
    shown = fitting(items)
    assert 20 < len(shown) < 60
    assert shown[0] == items[0]
    assert int(shown[-1].id) > 90
