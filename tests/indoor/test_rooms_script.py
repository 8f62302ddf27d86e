"""The script of the page, run by node in a document that is only just enough for it."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from drawn_rooms import EVIL, asked, room, write_page

from geo_lm4ve.indoor.viz import html
from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.indoor.viz.shapes import arrow, corners
from geo_lm4ve.viz import projection

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")

SHOWN = 'one("listing").children.map((made) => made.row.id)'
KEY = 'one("key").children.map((entry) => entry.hidden)'
CAMERA = "[view.azimuth, view.elevation, Math.round(100 * view.zoom), view.x, view.y]"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("page") / "p.html")


@pytest.fixture(scope="module")
def run(page):
    """A function: lines of script, and the part of the address behind # -> what they evaluate to after the page's."""

    def evaluate(lines, place=""):
        command = [NODE, str(Path(__file__).with_name("page_run.js")), str(page), lines, place]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    return evaluate


def test_it_filters(run):
    ids = run("rows.map((row) => row.id)")
    assert run(SHOWN) == ids
    assert run(f'one(".listing-bar").buttons[1].fire("click"); {SHOWN}') == [ids[1], ids[3]]
    assert run(f'one("listing-find").value = "CHAIRS many"; one("listing-find").fire("input"); {SHOWN}') == [ids[1]]
    assert run(f'one("listing-type").value = "what"; one("listing-type").fire("change"); {SHOWN}') == [ids[0], ids[2]]


def test_it_opens_questions_in_their_scans(run):
    ids = run("rows.map((row) => row.id)")
    by_scan = f'one("scan").value = "1"; one("scan").fire("change"); [view.scan, view.row.id, {SHOWN}]'
    assert run(by_scan) == [1, ids[2], ids[2:]]
    assert run('document.fire("keydown", { key: "n", target: {} }); view.row.id') == ids[1]
    assert run('document.fire("keydown", { key: "p", target: {} }); view.row.id') == ids[3]
    assert run('one("listing").children[1].fire("click"); view.row.id') == ids[1]
    assert run("view.row.id", "#q2") == "q2"


def test_it_says_what_is_known_as_text(run):
    texts = "const all = (made) => [made.textContent ?? made, ...(made.children ?? []).map(all)].flat(9);"
    said = run(f'{texts} all(one("answer"))')
    assert {"What is left of the table?", "I face the window.", "a chair", "60 %", "a chair · chair"} <= set(said)
    assert any("IoU 0.82" in part for part in said)
    assert any(EVIL[:9] in part for part in run(f'{texts} open(rows[3]); all(one("answer"))'))
    assert "no answer" in run(f'{texts} open(rows[2]); all(one("answer"))')


def test_the_key_names_what_is_drawn(run):
    assert run(KEY) == [False, False, False, True]
    assert run(f'tokenButtons[1].fire("click"); [view.tokens, {KEY}]') == [1, [False] * 4]
    without = run(f"open(rows[1]); [{KEY}, tokenButtons.map((button) => button.hidden)]")
    assert without == [[True, False, True, True], [True, True]]


def test_it_reads_points_and_boxes_as_they_were_written(run):
    found = run("const { places, normals, colors } = cloud(0); [[...places], [...normals], [...colors]]")
    places, normals, colors = (np.array(part).reshape(-1, 3) for part in found)
    cloud = cloud_of(room(), html.POINTS)
    assert np.abs(places - cloud.points).max() < 1e-3
    assert np.abs(normals - cloud.normals).max() < 0.04
    assert np.abs(colors - cloud.colors.astype(int)).max() <= 8
    assert np.allclose(run("corners([1, 2, 3, 4, -2, 1])"), corners((1, 2, 3, 4, -2, 1)))
    assert np.allclose(np.reshape(run("rows[0].arrow"), (-1, 3)), arrow(asked().pose), atol=1e-3)


@pytest.mark.parametrize(("azimuth", "elevation"), [(-55, 42), (-90, 90), (200, -10)])
def test_it_looks_as_pictures_do(run, azimuth, elevation):
    axes = run(f"Object.assign(view, {{ azimuth: {azimuth}, elevation: {elevation} }}).directions()")
    assert np.allclose(axes, projection.view(np.eye(3), azimuth, elevation).T)


def test_fingers_and_mouse_turn_move_and_zoom(run):
    at = """const at = (kind, pointerId, clientX, clientY, buttons = 1) =>
        view.canvas.fire(kind, { pointerId, clientX, clientY, buttons });"""
    pinch = 'at("pointerdown", 1, 0, 0); at("pointerdown", 2, 100, 0); at("pointermove", 2, 150, 0);'
    lifted = 'at("pointerup", 1, 0, 0); at("pointerup", 2, 150, 0); at("pointermove", 2, 9, 9);'
    one, other = ('at("pointerdown", 1, 0, 0, {0}); at("pointermove", 1, 20, 10, {0});'.replace("{0}", b) for b in "12")
    assert run(CAMERA) == [-55, 42, 100, 0, 0]
    assert run(f"{at} {one} {CAMERA}") == [-65, 47, 100, 0, 0]
    assert run(f"{at} {other} {CAMERA}") == [-55, 42, 100, 20, 10]
    assert run(f"{at} {pinch} {CAMERA}") == run(f"{at} {pinch} {lifted} {CAMERA}") == [-55, 42, 150, 25, 0]
    assert run(f'view.canvas.fire("wheel", {{ deltaY: -100 }}); {CAMERA}') == [-55, 42, 122, 0, 0]


def test_keys_turn_and_zoom(run):
    keys = " ".join(f'view.canvas.fire("keydown", {{ key: "{key}" }});' for key in ("ArrowLeft", "ArrowUp", "+"))
    assert run(f"{keys} {CAMERA}") == [-45, 52, 120, 0, 0]
    assert run(f'{keys} view.canvas.fire("keydown", {{ key: "t" }}); {CAMERA}') == [-90, 90, 100, 0, 0]
    assert run(f'{keys} view.canvas.fire("dblclick"); {CAMERA}') == [-55, 42, 100, 0, 0]
