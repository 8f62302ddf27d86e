"""Names from outside on the roads they really take: a training run, a prediction, pictures, pages, paths."""

import contextlib
import dataclasses
import html
import io
import json
import re

import numpy as np
import pytest
import trimesh
from PIL import Image
from scene_examples import example
from small_runs import NAMES, experiment, tool, write_folder

from geo_lm4ve import cli
from geo_lm4ve.blocks.sources.cache import LayerCache
from geo_lm4ve.classification.confusion import confusion_png
from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.train import train
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import from_json
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.points.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.traffic.argoverse.argoverse1_map import has_vector_map, read_drivable_raster
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2
from geo_lm4ve.traffic.viz.animation import animate
from geo_lm4ve.traffic.viz.html import scenes_html
from geo_lm4ve.traffic.viz.png import scenes_png
from geo_lm4ve.viz import style
from geo_lm4ve.viz.curves import curves_png
from geo_lm4ve.words import line

LONG = "x" * 3000
CLASSES = ("[/b]", "<!--<script>", ":car:", LONG)
HOSTILE = [*CLASSES, "a\x1b[31m\u202egnp", "$\\frac$", "_hidden", "two\nlines", "椅子🚀", "tab\tand \x00"]
MOST = 5_000_000
"""Pixels that no picture of a handful of names needs."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run with pictures in a folder called ``r[/x]``, its classes named CLASSES; and what it printed."""
    folder = tmp_path_factory.mktemp("hostile")
    write_folder(folder / "data")
    (folder / "data" / "shape_names.txt").write_text("\n".join(CLASSES) + "\n")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        train(experiment(folder, optim={"epochs": 1}, run={"root": str(folder / "r[/x]"), "pictures": True}))
    (run,) = (folder / "r[/x]" / "small").iterdir()
    return run, out.getvalue() + err.getvalue()


def size(path):
    with Image.open(path) as picture:
        return picture.width * picture.height


def test_a_run_says_its_names_as_they_are(trained):
    run, said = trained
    assert said.count(str(run)) == 2, "announced, and written to"
    assert not set(said) & set("\x1b\u202e")


def test_a_run_draws_names_of_any_length(trained):
    run, _ = trained
    assert {name: size(run / name) < MOST for name in ("confusion.png", "contact_sheet.png", "curves.png")} == {
        "confusion.png": True, "contact_sheet.png": True, "curves.png": True,
    }  # fmt: skip


def test_files_and_pages_of_a_run_hold_the_names_whole(trained):
    run, _ = trained
    lines = (run / "predictions.jsonl").read_text().splitlines()
    assert {from_json(row)["label"] for row in lines} == set(CLASSES)
    page = (run / "report.html").read_text()
    assert page.count("<script") == 1
    for name in CLASSES:
        assert f"<td>{html.escape(line(name))}</td>" in page


@pytest.mark.parametrize("name", ["[/b].off", "[red]x.off", ":car:.off", "a\x1b[2Jb\nerror: c.off"])
def test_prediction_prints_a_file_of_any_name(name, trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(trimesh.exchange.off.export_off(trimesh.creation.icosphere(1)))
    code, out, err = tool(capsys, "predict", trained[0], tmp_path / name, "--out", tmp_path / "p.json")
    assert code == 0, err
    assert line(tmp_path / name) in out
    assert all(name in out for name in ("[/b] 0.", "<!--<script> 0.", ":car: 0."))
    assert len(out) < 10_000, "the class of 3,000 letters is shortened"
    (answer,) = json.loads((tmp_path / "p.json").read_text())
    assert answer["file"] == str(tmp_path / name)
    assert {name for name, _ in answer["top"]} == set(CLASSES)


def test_a_missing_file_of_any_name_is_named(trained, tmp_path, capsys):
    code, _, err = tool(capsys, "predict", trained[0], tmp_path / "[/b]\x1b[2J.off")
    assert code == 1
    assert f"{tmp_path}/[/b]\\x1b[2J.off" in err


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "-rf", "a\\b", "a\x00b", "a\nb", "x" * 256, "\u202egnp", ""])
def test_a_run_folder_stays_inside_its_root(name):
    with pytest.raises(ConfigError, match=r"name=.* one folder below run\.root; set another name="):
        ExperimentConfig(name=name)


def test_the_command_line_refuses_such_a_name(capsys):
    with pytest.raises(ConfigError, match=r"name='../../x' holds '/'"):
        cli.load(CONFIGS / "quickstart.yaml", ["name=../../x"])
    code, _, err = tool(capsys, "train", CONFIGS / "quickstart.yaml", "name=../../x")
    assert (code, err.startswith("error: name='../../x' holds '/'")) == (1, True)


def test_names_from_files_lead_nowhere_else(tmp_path):
    inside, outside = tmp_path / "map_files", tmp_path / "x_1_vector_map.xml"
    inside.mkdir()
    outside.touch()
    (inside / "pruned_argoverse_PIT_1_vector_map.xml").touch()
    (inside / "pruned_argoverse_").mkdir()
    assert has_vector_map(inside, "PIT")
    assert not any(has_vector_map(inside, city) for city in ("*", "P?T", "/../../x", "../x", "[P]IT"))
    assert read_drivable_raster(inside, "/etc/x") is None
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "log_map_archive_evil.json").write_text("{}")
    (tmp_path / "root" / "val").mkdir(parents=True)
    assert ARGOVERSE2.surface(tmp_path / "root", "../../evil", "") is None
    assert ARGOVERSE2.surface(tmp_path / "root", str(tmp_path / "evil"), "") is None
    cache = LayerCache(tmp_path / "blocks", "owner/name")
    assert cache.folder.name == "owner--name"
    assert cache.path("..", [0], 1).parent.parent == cache.folder


@pytest.mark.parametrize("name", HOSTILE)
def test_the_page_of_scenes_holds_any_name(name, tmp_path):
    scene = example(name=name, city=name, agent_ids=[name] * 3, numbers={name: 1.0, "b": float("nan")})
    modes = scene.modes.copy()
    modes[0, 3] = np.inf
    scenes_html(tmp_path / "p.html", [example(**{**vars(scene), "modes": modes})], name, note=name)
    held = re.findall(
        r'<script type="application/json" id="data">([^<>&]*)</script>', (tmp_path / "p.html").read_text()
    )
    (shown,) = json.loads(held[0], parse_constant=lambda text: pytest.fail(text))["scenes"]
    assert (shown["name"], shown["city"], shown["numbers"]) == (name, name, {name: 1.0, "b": None})
    assert shown["modes"][0] == []
    assert shown["errors"][0] is not None


def test_pictures_of_any_name_are_drawn_without_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "DPI", 40)
    rows = [{"step": 1, "loss": 1.0, "$x$_loss": 2.0, "_q_loss": float("nan")}]
    count, title = len(HOSTILE), "\n".join(HOSTILE)
    confusion_png(tmp_path / "a.png", np.eye(count, dtype=int), HOSTILE, title)
    curves_png(tmp_path / "b.png", dict.fromkeys(HOSTILE, rows), ["acc"], title)
    curves_png(tmp_path / "c.png", {"one": rows}, ["acc"], title)
    captions = [f"{name}\n{name}" for name in HOSTILE]
    contact_sheet_png(tmp_path / "d.png", [np.eye(3)] * count, captions, None, title, note=title)
    scenes = [example(name=name, city=name) for name in HOSTILE[3:]]
    scenes_png(tmp_path / "e.png", scenes, title, note=title, labels=HOSTILE)
    assert [size(path) < MOST * (40 / 150) ** 2 for path in sorted(tmp_path.iterdir())] == [True] * 5


@pytest.mark.parametrize("name", ["$\\frac$", LONG, "椅子🚀\n"])
def test_an_animation_of_any_name_is_drawn_without_a_warning(name, tmp_path):
    scene = example(name=name, city=name, modes=None, history=2)
    animate(tmp_path / "a.gif", dataclasses.replace(scene, tracks=scene.tracks[:, :3]))
    assert size(tmp_path / "a.gif") < MOST


def test_labels_stay_within_their_room(tmp_path):
    figure = style.new_figure(7, 3)
    axes = style.new_axes(figure, 1, 1, 5, 1)
    handles = [axes.plot([0, 1], label=name)[0] for name in HOSTILE]
    style.legend(figure, handles)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[5:8] == ["$\\frac$", "_hidden", "two\\nlines"]
    assert max(map(len, labels)) == 40
    assert labels[8] == "□□□"


def test_no_picture_is_larger_than_the_limit(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(style, "MAX_PIXELS", 10_000)
    style.save(style.new_figure(8, 2), tmp_path / "a.png")
    monkeypatch.setattr(style, "MAX_SIDE", 100)
    style.save(style.new_figure(1, 40), tmp_path / "b.png")
    with Image.open(tmp_path / "a.png") as a, Image.open(tmp_path / "b.png") as b:
        assert 9_000 < a.width * a.height <= 10_000
        assert b.height == 100
    assert "a.png: 8 x 2 inches are drawn with 25 instead of 150 pixels per inch" in capsys.readouterr().err


def test_there_are_as_many_names_as_classes():
    assert len(CLASSES) == len(NAMES)
