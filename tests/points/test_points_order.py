import os

import pytest
import torch
from clouds import random_clouds

from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.points import order as points_order
from geo_lm4ve.points.order import fps_order, order_folder

CLOUDS = random_clouds(7, 60)


def expected(count):
    with kernels.reference():
        return farthest_point_sample(CLOUDS, count)


@pytest.fixture
def computed(monkeypatch):
    """Counts how often an order is computed."""
    calls = []
    compute = points_order.compute_order
    monkeypatch.setattr(points_order, "compute_order", lambda *arguments: calls.append(1) or compute(*arguments))
    return calls


def test_order_is_that_of_the_reference_and_is_computed_once(tmp_path, computed, capsys):
    assert torch.equal(fps_order(CLOUDS, 20, tmp_path, "toy"), expected(20))
    assert "farthest point order of toy, 7 clouds" in capsys.readouterr().err
    assert torch.equal(fps_order(CLOUDS, 20, tmp_path, "toy"), expected(20))
    assert torch.equal(fps_order(CLOUDS, 11, tmp_path, "toy"), expected(11))
    assert len(computed) == 1
    assert torch.equal(fps_order(CLOUDS, 30, tmp_path, "toy"), expected(30))
    assert len(computed) == 2


def test_other_clouds_have_another_file(tmp_path, computed):
    fps_order(CLOUDS, 5, tmp_path, "toy")
    fps_order(CLOUDS + 1, 5, tmp_path, "toy")
    assert len(computed) == len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-7], "cut off"),
        (lambda content: content[:-4] + b"\1\0\1\0", "its checksums do not match"),
        (lambda content: b"", "cut off"),
    ],
)
def test_damaged_files_are_computed_again_and_said(tmp_path, computed, capsys, damage, message):
    fps_order(CLOUDS, 20, tmp_path, "toy")
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert torch.equal(fps_order(CLOUDS, 20, tmp_path, "toy"), expected(20))
    assert len(computed) == 2
    said = capsys.readouterr().err
    assert message in said
    assert f"{path} is" in said
    assert "computing it again" in said
    fps_order(CLOUDS, 20, tmp_path, "toy")
    assert len(computed) == 2


def test_others_may_read_the_file(tmp_path):
    old = os.umask(0o022)
    try:
        fps_order(CLOUDS, 5, tmp_path, "toy")
    finally:
        os.umask(old)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o644


def test_read_only_data_use_the_users_cache(tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    assert order_folder(data) == data / "fps_order"
    data.chmod(0o555)
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "mine"))
    assert order_folder(data) == tmp_path / "mine" / "fps_order"
    monkeypatch.delenv("GEO_LM4VE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert order_folder(data) == tmp_path / "xdg" / "geo_lm4ve" / "fps_order"
