import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from geo_lm4ve.points.viz.contact_sheet import contact_sheet_png
from geo_lm4ve.viz import style

RNG = np.random.default_rng(0)


def pixels(path, colour):
    """Number of pixels within a hair of a colour."""
    with Image.open(path) as picture:
        values = np.asarray(picture.convert("RGB")) / 255
    return int((np.abs(values - to_rgb(colour)).max(-1) < 0.03).sum())


def sheet(path, count, correct, **more):
    clouds = [RNG.normal(size=(100 + 50 * k, 3)) for k in range(count)]
    contact_sheet_png(path, clouds, [f"class {k}\ntrue: x" for k in range(count)], correct, "title", **more)


def test_frames_say_right_and_wrong(tmp_path):
    sheet(tmp_path / "right.png", 3, [True] * 3)
    sheet(tmp_path / "mixed.png", 3, [True, False, False])
    sheet(tmp_path / "unknown.png", 3, None)
    right, mixed, unknown = (
        [pixels(tmp_path / f"{name}.png", colour) for colour in (style.RIGHT, style.WRONG)]
        for name in ("right", "mixed", "unknown")
    )
    assert right[0] > 1000
    assert right[1] == 0
    assert mixed[0] == pytest.approx(right[0] / 3, rel=0.2)
    assert mixed[1] == pytest.approx(2 * right[0] / 3, rel=0.2)
    assert unknown == [0, 0]


def test_columns_and_rows_give_the_size(tmp_path):
    sheet(tmp_path / "a.png", 7, None, columns=3)
    sheet(tmp_path / "b.png", 7, None, columns=7)
    with Image.open(tmp_path / "a.png") as a, Image.open(tmp_path / "b.png") as b:
        assert a.width < a.height
        assert b.width > 3 * b.height
        assert b.width == pytest.approx(150 * (7 * 1.89 + 0.26), abs=2)


def test_a_large_cloud_costs_no_more_than_a_small_one(tmp_path):
    contact_sheet_png(tmp_path / "a.png", [RNG.normal(size=(200_000, 3)).astype(np.float32)], ["big"], None, "t")
    assert (tmp_path / "a.png").stat().st_size < 100_000


def test_bad_input_names_the_culprit(tmp_path):
    good, bad = np.zeros((4, 3)), np.full((4, 3), np.nan)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet_png(tmp_path / "a.png", [], [], None, "t")
    with pytest.raises(ValueError, match="2 clouds, but 1 captions"):
        contact_sheet_png(tmp_path / "a.png", [good, good], ["a"], None, "t")
    with pytest.raises(ValueError, match="cloud 1: 4 of 4 points"):
        contact_sheet_png(tmp_path / "a.png", [good, bad], ["a", "b"], None, "t")
    assert not list(tmp_path.iterdir())
