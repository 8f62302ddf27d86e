import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from geo_lm4ve.geometry.meshes import PointsError
from geo_lm4ve.parts.drawer import draw_files
from geo_lm4ve.points.viz.files import draw_clouds

TOOL = Path(__file__).resolve().parents[2] / "tools" / "visualize.py"
TETRAHEDRON = "OFF\n4 4 6\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 1 2 3\n3 0 3 2\n"


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(300, 3)))
    (tmp_path / "b.off").write_text(TETRAHEDRON)
    return [tmp_path / "a.npy", tmp_path / "b.off"]


def test_files_become_a_sheet_and_a_page(files, tmp_path):
    written = draw_clouds(files, tmp_path / "out", {})
    assert [path.name for path in written] == ["clouds.png", "clouds.html"]
    page = written[1].read_text()
    assert page.count("<canvas") == 2
    assert "Point clouds</h2>" in page
    assert "b.off" in page
    assert 'data-show="wrong"' not in page


def test_a_scene_is_drawn(tmp_path):
    trimesh.Scene([trimesh.creation.box(), trimesh.creation.icosphere()]).export(tmp_path / "parts.glb")
    assert "parts.glb" in draw_files([tmp_path / "parts.glb"], tmp_path / "out")[1].read_text()


def test_predictions_label_the_files(files, tmp_path):
    tops = {str(path): {"top": [("cone", 0.75), ("cube", 0.25)]} for path in files}
    page = draw_clouds(files, tmp_path / "out", tops)[1].read_text()
    assert "Predictions</h2>" in page
    assert page.count("<h3>cone</h3>") == 2
    assert page.count("75.0%") == 2


def test_an_unreadable_file_is_named(files, tmp_path):
    (tmp_path / "c.off").write_text("OFF\n")
    with pytest.raises(PointsError, match=r"c\.off"):
        draw_clouds([*files, tmp_path / "c.off"], tmp_path / "out", {})


@pytest.mark.slow
def test_the_tool(files, tmp_path):
    predictions = tmp_path / "p.json"
    predictions.write_text(json.dumps([{"file": str(files[0]), "top": [["cone", 1.0]]}]))
    command = [sys.executable, TOOL, *files, "--out", tmp_path / "out", "--predictions", predictions]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "out" / name) for name in ("clouds.png", "clouds.html")]
    mixed = subprocess.run([sys.executable, TOOL, files[0], tmp_path], capture_output=True, text=True)
    assert mixed.returncode == 1
    assert mixed.stderr == "error: give either files or run folders, not both\n"
