import numpy as np
import pytest
from PIL import Image

from geo_lm4ve.classification.confusion import cell_colours, class_order, confusion_png, row_shares, summary

TOY = np.array([[8, 2, 0], [1, 3, 0], [0, 0, 0]])


def test_rows_sum_to_one_and_empty_rows_to_zero():
    assert np.allclose(row_shares(TOY), [[0.8, 0.2, 0], [0.25, 0.75, 0], [0, 0, 0]])


def test_summary_counts_by_hand():
    text = summary(TOY, ["a", "b", "c"])
    assert "14 samples" in text
    assert "overall accuracy 78.6%" in text  # 11 / 14
    assert "mean class accuracy 77.5%" in text  # (0.8 + 0.75) / 2: a class without samples does not count
    assert "a → b (2), b → a (1)" in text
    assert "c →" not in text


def test_hits_are_blue_errors_orange_the_rest_grey():
    red, _, blue = np.moveaxis(cell_colours(TOY), -1, 0)
    assert (blue[[0, 1], [0, 1]] > red[[0, 1], [0, 1]]).all()
    assert (red[[0, 1], [1, 0]] > blue[[0, 1], [1, 0]]).all()
    assert np.allclose(red[2], blue[2], atol=0.04)
    assert red[0, 1] != red[0, 2]


def test_a_single_error_in_a_hundred_is_visible():
    many = np.array([[99, 1, 0], [0, 100, 0], [0, 0, 100]])
    colours = cell_colours(many)
    assert np.abs(colours[0, 1] - colours[0, 2]).max() > 0.15


def test_orders():
    matrix = np.array([[5, 0, 5, 0], [0, 9, 0, 1], [4, 0, 6, 0], [0, 2, 0, 8]])
    assert class_order(matrix, "given") == [0, 1, 2, 3]
    assert class_order(matrix, "recall") == [1, 3, 2, 0]
    similar = class_order(matrix, "similar")
    assert sorted(similar) == [0, 1, 2, 3]
    assert abs(similar.index(0) - similar.index(2)) == 1
    assert abs(similar.index(1) - similar.index(3)) == 1


@pytest.mark.parametrize("classes", [2, 15, 16, 40, 60])
@pytest.mark.parametrize("order", ["given", "similar"])
def test_draws_any_number_of_classes(tmp_path, classes, order):
    matrix = np.random.default_rng(classes).integers(0, 9, (classes, classes))
    confusion_png(tmp_path / "c.png", matrix, [f"class $x_{i}" for i in range(classes)], "t", order=order)
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 450
        assert max(picture.size) <= 2600
    assert [path.name for path in tmp_path.iterdir()] == ["c.png"]


def test_bad_input_says_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="with a name each"):
        confusion_png(tmp_path / "c.png", TOY, ["a", "b"], "t")
    with pytest.raises(ValueError, match="negative"):
        confusion_png(tmp_path / "c.png", -TOY, ["a", "b", "c"], "t")
    with pytest.raises(ValueError, match="given, recall, similar"):
        confusion_png(tmp_path / "c.png", TOY, ["a", "b", "c"], "t", order="size")
    assert not list(tmp_path.iterdir())
