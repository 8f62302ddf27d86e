"""Pictures of scenes as files: they exist, show what they should, and need nothing from the network."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from scene_examples import F, T, example, withheld

from geo_lm4ve.files import UserError
from geo_lm4ve.traffic.viz import colours
from geo_lm4ve.traffic.viz.animation import HOLD, animate
from geo_lm4ve.traffic.viz.html import UNIT_M, encode, scenes_html
from geo_lm4ve.traffic.viz.png import scene_png, scenes_png, summary
from geo_lm4ve.viz import style


def _holds(path, colour):
    """Whether a picture has an area of (nearly) that colour: more than the soft edges of other things."""
    with Image.open(path) as picture:
        return _count(picture, colour) > 200


def _count(picture, colour):
    pixels = np.asarray(picture.convert("RGB"), dtype=float) / 255
    return (np.abs(pixels - to_rgb(colour)).max(-1) < 0.015).sum()


def test_scene_png(tmp_path):
    scene_png(tmp_path / "scene.png", example(), synthetic=True)
    for colour in (colours.TARGET, colours.TRUTH, colours.MODE, colours.ROAD, colours.AGENT["cyclist"]):
        assert _holds(tmp_path / "scene.png", colour)


def test_scene_png_without_future_lanes_or_forecast(tmp_path):
    scene = withheld()
    bare = example(lanes=[], intersection=np.zeros(0, dtype=np.int64), probabilities=None)
    scene_png(tmp_path / "withheld.png", scene)
    scene_png(tmp_path / "bare.png", bare)
    assert not _holds(tmp_path / "withheld.png", colours.MODE)
    assert not _holds(tmp_path / "withheld.png", colours.TRUTH)
    assert not _holds(tmp_path / "bare.png", colours.ROAD)


def test_activation_colours_lanes_and_agents(tmp_path):
    scene = example(lane_activation=np.array([0.0, 1.0]), agent_activation=np.array([0.5, 1.0, np.nan]))
    scene_png(tmp_path / "active.png", scene)
    strongest = style.activation_colours(scene.lane_activation)[1]
    assert _holds(tmp_path / "active.png", strongest)
    assert not _holds(tmp_path / "active.png", colours.AGENT["cyclist"])


def test_drivable_area_instead_of_lane_bands(tmp_path):
    square = np.array([[-30.0, -30], [30, -30], [30, 40], [-30, 40]])
    scene = example(drivable=[[square]], crossings=[square / 4], boundaries=[square])
    scene_png(tmp_path / "area.png", scene)
    assert _holds(tmp_path / "area.png", colours.CROSSING)
    assert _holds(tmp_path / "area.png", colours.ROAD)


def test_sheet(tmp_path):
    scenes_png(tmp_path / "sheet.png", [example(), withheld(), example(name="9")], "Three scenes", columns=2)
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.height > picture.width
    with pytest.raises(ValueError, match="at least one"):
        scenes_png(tmp_path / "none.png", [], "None")


def test_summary_reads_well():
    assert summary(example()) == "minADE₆ 0.12   minFDE₆ 0.80"


def test_gif(tmp_path):
    animate(tmp_path / "scene.gif", example())
    with Image.open(tmp_path / "scene.gif") as picture:
        assert picture.n_frames in (T + F, T + F + HOLD)  # Pillow joins equal frames
        picture.seek(5)
        assert _count(picture, colours.MODE) == 0
        picture.seek(T + 10)
        assert _count(picture, colours.MODE) > 50


def test_animation_refusals(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"\.gif or an \.mp4"):
        animate(tmp_path / "scene.avi", example())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="apt-get install ffmpeg"):
        animate(tmp_path / "scene.mp4", example())
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_mp4(tmp_path):
    animate(tmp_path / "scene.mp4", example())
    assert (tmp_path / "scene.mp4").read_bytes()[4:8] == b"ftyp"


def _decode(numbers):
    return np.cumsum(np.array(numbers).reshape(-1, 2), axis=0) * UNIT_M


def test_encoding_keeps_positions():
    scene = example(lane_activation=np.array([2.0, 4.0]), agent_activation=np.array([np.nan, 3.0, 2.0]), ego=1)
    raw = json.loads(json.dumps(encode(scene)))
    np.testing.assert_allclose(_decode(raw["modes"][1]), scene.modes[1], atol=UNIT_M / 2 + 1e-9)
    start, *numbers = raw["agents"][1]["track"][0]
    assert start == 10
    np.testing.assert_allclose(_decode(numbers), scene.tracks[1, 10:40], atol=UNIT_M / 2 + 1e-9)
    assert [piece[0] for piece in raw["agents"][2]["track"]] == [0, 25]
    assert raw["agents"][2]["heading"] is None
    assert raw["agents"][1]["ego"] == 1
    assert raw["lane_activation"] == [0, 255]
    assert raw["agent_activation"] == [None, 128, 0]
    assert raw["errors"] == [round(float(error), 2) for error in scene.errors]


def test_what_is_far_away_is_left_out():
    far = [np.array([[500.0, 500], [510, 500]])]
    scene = example()
    raw = encode(example(lanes=[*scene.lanes, *far], intersection=np.array([0, 1, 0])))
    assert len(raw["lanes"]) == 2
    assert raw["intersection"] == "01"


class _Links(HTMLParser):
    found: list

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href")]


def test_page(tmp_path):
    page = tmp_path / "scenes.html"
    scenes_html(page, [example(name="</script><b>"), withheld()], "A & B", highlights={"minFDE K=6": "1.20"}, total=9)
    text = page.read_text()
    assert "A &amp; B" in text
    assert "</script><b>" not in text
    parser = _Links()
    parser.found = []
    parser.feed(text)
    assert parser.found == []
    assert not re.search(r"https?://", text)
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1)
    assert [scene["name"] for scene in json.loads(data)["scenes"]] == ["</script><b>", "7"]


def test_page_limits(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="at least one"):
        scenes_html(tmp_path / "page.html", [], "None")
    monkeypatch.setattr("geo_lm4ve.traffic.viz.html.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="show fewer"):
        scenes_html(tmp_path / "page.html", [example()], "Too large")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.slow
def test_page_runs_in_a_browser(tmp_path):
    page = tmp_path / "scenes.html"
    scenes_html(page, [example(), example(name="9", city="MIA"), withheld()], "Three scenes")
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom",
        "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", f"{page.as_uri()}#9",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    assert "3 of 3" in done.stdout
    assert '<h2 id="name">9 · MIA</h2>' in done.stdout
    assert "60 %" in done.stdout
