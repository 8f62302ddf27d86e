import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from drawn_rooms import asked, bare, room, write_page

from geo_lm4ve.indoor.viz import html
from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.indoor.viz.encoding import encode_room
from geo_lm4ve.indoor.viz.html import points_each, rooms_html


def data(path):
    return json.loads(re.search(r'id="rooms-data">(.*?)</script>', path.read_text(), re.DOTALL)[1])


@pytest.fixture
def page(tmp_path):
    return write_page(tmp_path / "p.html")


def test_the_page_holds_scans_and_questions_and_asks_no_network(page):
    found, text = data(page), page.read_text()
    assert [scan["name"] for scan in found["scans"]] == ["scene0000_00", "b"]
    assert [row.get("right", "unknown") for row in found["rows"]] == [True, False, "unknown", False]
    assert found["rows"][0]["said"] == [["a chair", 0.6], ["bed", 0.25]]
    assert len(found["rows"][0]["tokens"]) == 15
    assert {"box", "arrow", "tokens"}.isdisjoint(found["rows"][1])
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|@import|url\(|fetch\(|XMLHttp|import\(", text)
    for words in (
        "all 4",
        "wrong 2",
        "right 1",
        "<option>how</option>",
        "2 scans, up to 1,800 points each · 4 of 90 ques",
    ):
        assert words in text, words


def test_texts_from_files_do_nothing_in_the_page(page):
    text = page.read_text()
    assert text.count("<script") == 2
    for part in ("alert(1)</script>", "\u202e", "\x1b"):
        assert part not in text
    assert "\\u202e" in data(page)["rows"][3]["question"]


def test_points_come_back_to_a_part_of_65535_of_the_scan():
    made = room()
    scan, cloud = encode_room(made, 1000), cloud_of(made, 1000)
    packed = np.frombuffer(base64.b64decode(scan["points"]), "<u2").reshape(-1, 5)
    places = scan["low"] + packed[:, :3] / 65535 * scan["size"]
    assert packed.shape == (1000, 5)
    assert np.abs(places - cloud.points).max() < 1e-3
    colors, normals = (np.stack([packed[:, k] >> shift & 31 for shift in (10, 5, 0)], 1) for k in (3, 4))
    assert np.array_equal(colors, cloud.colors >> 3)
    normals = normals / 15 - 1
    assert np.abs(normals - cloud.normals).max() < 1 / 30 + 1e-6
    sides = np.array(scan["sides"])[(packed[:, 3] >> 15) * 2 + (packed[:, 4] >> 15)]
    assert (sides >= cloud.spacing - 1e-4).mean() == pytest.approx(0.97, abs=0.01)
    assert np.median(sides / cloud.spacing) < 1.15


def test_many_scans_share_the_room_of_a_page(tmp_path, monkeypatch):
    assert points_each([room()], 0) == html.POINTS
    many = [replace(bare(30_000), name=str(number)) for number in range(40)]
    assert 0.9 * html.MAX_BYTES < points_each(many, 0) * 40 * 13.3 + html.PAGE_BYTES < html.MAX_BYTES
    monkeypatch.setattr(html, "MAX_BYTES", 1_000_000)
    rooms_html(tmp_path / "p.html", many[:20], [], "many")
    assert (tmp_path / "p.html").stat().st_size < 1_000_000
    assert re.search(
        r"20 scans, 3,\d+ of up to 30,000 points each · 0 questions · 1.0 MB", (tmp_path / "p.html").read_text()
    )
    with pytest.raises(ValueError, match=r"40 scans do not fit into a page of 1 MB .* show at most 23"):
        rooms_html(tmp_path / "q.html", many, [], "too many")
    assert points_each([bare(40)] * 400, 0) >= 40


def test_of_too_many_questions_some_from_all_over_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "ASKED_BYTES", 20_000)
    rooms_html(tmp_path / "p.html", [room()], [asked(id=str(number)) for number in range(500)], "t")
    rows = data(tmp_path / "p.html")["rows"]
    assert 20 < len(rows) < 100
    assert (rows[0]["id"], rows[-1]["id"]) == ("0", "499")
    assert f"{len(rows)} of 500 questions" in (tmp_path / "p.html").read_text()


def test_what_does_not_belong_together_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="at least one scan"):
        rooms_html(tmp_path / "p.html", [], [], "t")
    with pytest.raises(ValueError, match="2 scans have 1 names"):
        rooms_html(tmp_path / "p.html", [room(), room()], [], "t")
    with pytest.raises(ValueError, match="question 'q0' is about scan 'elsewhere'"):
        rooms_html(tmp_path / "p.html", [room()], [asked(scan="elsewhere")], "t")
    assert not list(tmp_path.iterdir())
