import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from geo_lm4ve.points.viz.cards import Card, section
from geo_lm4ve.viz import cards
from geo_lm4ve.viz.html import PageTable, as_text, html_report

RNG = np.random.default_rng(0)


class Page(HTMLParser):
    """Collects tags with their attributes, and all text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "p.png")
    clouds = [
        Card(RNG.normal(size=(500, 3)), [("chair", 0.9), ("table", 0.1)], "chair", "test #7"),
        Card(RNG.normal(size=(500, 3)), [("sofa", 0.6), ("bed", 0.3)], "bed"),
        Card(RNG.normal(size=(500, 3)), [("lamp", 0.5)], None, "scan.ply"),
    ]
    html_report(
        tmp_path / "r.html",
        "Run <1> & more",
        {"seed": 3, "protocol": {"votes": 0, "split": "test"}, "trainable": 22_065_960},
        highlights={"overall accuracy": "87.3 %"},
        tables=[PageTable("Classes", ["class", "recall"], [["chair", 0.91234], ["<b>", 0.5]], "worst last")],
        pictures={"Confusion matrix": tmp_path / "p.png"},
        samples=section(clouds),
        note="as of today",
        synthetic=True,
    )
    return (tmp_path / "r.html").read_text(), clouds, (tmp_path / "p.png").read_bytes()


def test_everything_is_in_the_page(page):
    text = Page(page[0]).text
    for word in (
        "Run <1> & more", "synthetic data", "as of today", "87.3 %", "votes: 0 · split: test", "22,065,960", "Classes",
        "0.9123", "<b>", "worst last", "chair", "90.0%", "true: bed", "scan.ply", "test #7", "Confusion matrix",
    ):  # fmt: skip
        assert word in text, word


def test_nothing_comes_from_outside(page):
    parsed = Page(page[0])
    for tag, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "action", "data"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, name)
    assert not parsed.all("link")
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttp|import\(", page[0])
    policy = next(
        meta["content"] for meta in parsed.all("meta") if "content" in meta and "default-src" in meta["content"]
    )
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_pictures_and_points_survive(page):
    text, clouds, png = page
    parsed = Page(text)
    assert base64.b64decode(parsed.all("img")[0]["src"].partition(",")[2]) == png
    canvases = parsed.all("canvas")
    assert len(canvases) == 3
    for canvas, cloud in zip(canvases, clouds):
        points = np.frombuffer(base64.b64decode(canvas["data-points"]), "<i2").reshape(-1, 3) / 32767
        assert points.shape == (500, 3)
        # The same shape up to place and scale.
        a, b = points - points.mean(0), cloud.points - cloud.points.mean(0)
        assert np.allclose(a / np.linalg.norm(a), b / np.linalg.norm(b), atol=1e-5)


def test_cards_know_right_from_wrong(page):
    parsed = Page(page[0])
    assert [card["class"] for card in parsed.all("article")] == ["card right", "card wrong", "card unknown"]
    assert [card["data-search"] for card in parsed.all("article")] == [
        "chair chair test #7",
        "sofa bed",
        "lamp scan.ply",
    ]
    bars = [item for item in parsed.all("li") if item.get("class") == "is-true"]
    assert [bar["style"] for bar in bars] == ["--share:90.00%", "--share:30.00%"]
    assert "all 3" in parsed.text
    assert "wrong 1" in parsed.text


def test_a_name_cannot_break_out_of_the_page(tmp_path):
    evil = '"></script><script>alert(1)</script>'
    html_report(
        tmp_path / "r.html", evil, {evil: evil}, highlights={evil: evil},
        tables=[PageTable(evil, [evil], [[evil]], evil)],
        samples=section([Card(np.ones((1, 3)), [(evil, 1.0)], "x", evil)]), note=evil,
    )  # fmt: skip
    parsed = Page((tmp_path / "r.html").read_text())
    assert len(parsed.all("script")) == 1
    assert len(parsed.all("article")) == 1
    assert parsed.all("article")[0]["data-search"] == f"{evil} x {evil}".lower()


def test_sixty_dense_clouds_fit_and_the_rest_is_mentioned(tmp_path):
    clouds = [Card(RNG.normal(size=(8192, 3)), [("a", 1.0)], "a")] * 70
    html_report(tmp_path / "r.html", "many", {}, samples=section(clouds))
    text = (tmp_path / "r.html").read_text()
    assert len(text) < 1_500_000
    assert text.count("<canvas") == cards.MOST == 60
    assert "The first 60 of 70 are shown." in text


def test_too_large_a_page_names_what_is_large(tmp_path):
    noise = RNG.integers(0, 255, (1000, 1000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "p.png")
    with pytest.raises(ValueError, match=r"the limit is 3 MB: .*pictures 4\.\d+ MB"):
        html_report(tmp_path / "r.html", "big", {}, pictures={"noise": tmp_path / "p.png"})
    assert not (tmp_path / "r.html").exists()


def test_bad_input_names_the_culprit(tmp_path):
    (tmp_path / "p.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"p\.png is not a PNG"):
        html_report(tmp_path / "r.html", "t", {}, pictures={"a": tmp_path / "p.png"})
    with pytest.raises(ValueError, match=r"sample 0 \(f.ply\): a point cloud without points"):
        html_report(tmp_path / "r.html", "t", {}, samples=section([Card(np.zeros((0, 3)), name="f.ply")]))


def test_long_facts_are_folded_away(tmp_path):
    html_report(tmp_path / "r.html", "t", {"short": {"a": 1, "b": 2}, "long": {f"key {k}": "x" * 20 for k in range(9)}})
    text = (tmp_path / "r.html").read_text()
    assert "a: 1 · b: 2" in text
    assert text.count("<details>") == 1
    assert "9 entries" in text
    assert "key 8: xxxx" in text


def test_columns_of_numbers_are_set_to_the_right(tmp_path):
    rows = [["a", 12, "91.5 %", "0.1 ± 0.02", "3 of 4"], ["b", "1,234", "–", "-1e-05", "x"]]
    html_report(tmp_path / "r.html", "t", {}, tables=[PageTable("t", ["name", "n", "share", "mean", "text"], rows)])
    headers = Page((tmp_path / "r.html").read_text()).all("th")
    assert [header.get("class") for header in headers] == [None, "number", "number", "number", None]


def test_values_as_a_reader_wants_them():
    values = [0.123456, 12345678, 42, True, None, [1, 2.5], {"a": {"b": 1}}, "x"]
    expected = ["0.1235", "12,345,678", "42", "yes", "–", "1, 2.5", "a: b: 1", "x"]
    assert [as_text(value) for value in values] == expected
