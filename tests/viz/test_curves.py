import numpy as np
import pytest
from PIL import Image

from geo_lm4ve.viz.curves import curves_png, legend_entries, lines_of, shared_position, smooth

RUN = [
    {"epoch": 1, "step": 10, "loss": 2.0, "train_accuracy": 0.3, "lr": 1e-3},
    {
        "epoch": 2,
        "step": 20,
        "loss": 1.0,
        "train_accuracy": 0.5,
        "lr": 5e-4,
        "val_loss": 1.5,
        "val_overall_accuracy": 0.6,
    },
]


def test_keys_find_their_panel_and_their_split():
    loss = lines_of({"a": RUN}, "loss", "step")
    assert [(line.split, line.x.tolist(), line.y.tolist()) for line in loss] == [
        ("train", [10, 20], [2, 1]),
        ("val", [20], [1.5]),
    ]
    assert [line.split for line in lines_of({"a": RUN}, "overall_accuracy", "epoch")] == ["val"]
    assert lines_of({"a": RUN}, "accuracy_at_5", "epoch") == []


def test_position_is_the_step_only_if_all_runs_have_it():
    assert shared_position({"a": RUN}) == "step"
    assert shared_position({"a": RUN, "b": [{"epoch": 1}]}) == "epoch"
    with pytest.raises(ValueError, match="'step' or 'epoch'"):
        shared_position({"a": [{"loss": 1.0}]})


def test_smooth_keeps_constants_and_the_mean_of_a_long_curve():
    assert np.allclose(smooth(np.full(200, 3.0)), 3.0)
    noise = np.random.default_rng(0).normal(size=1000)
    assert smooth(noise).std() < 0.3 * noise.std()


def test_one_panel_each_for_loss_metric_and_rate(tmp_path):
    curves_png(tmp_path / "three.png", {"a": RUN}, ["overall_accuracy"], "t")
    curves_png(tmp_path / "two.png", {"a": RUN, "b": RUN}, ["unknown"], "t", synthetic=True)
    with Image.open(tmp_path / "three.png") as three, Image.open(tmp_path / "two.png") as two:
        assert three.width == two.width
        # One panel more, but no legend of two runs and two splits.
        assert three.height - two.height == pytest.approx(150 * (2.2 - 2 * 0.18), abs=1)


def test_the_legend_of_several_runs_names_runs_and_splits():
    panels = {name: lines_of({"a": RUN, "b": RUN}, name, "step") for name in ("loss", "lr")}
    entries = legend_entries(["a", "b"], panels)
    assert [entry.get_label() for entry in entries] == ["a", "b", "train", "val"]
    assert entries[0].get_color() != entries[1].get_color()
    assert entries[2].get_linestyle() != entries[3].get_linestyle()
    assert [entry.get_label() for entry in legend_entries(["a", "b"], {"lr": panels["lr"]})] == ["a", "b"]


def test_nothing_to_draw_lists_the_keys(tmp_path):
    with pytest.raises(ValueError, match="keys: epoch, speed"):
        curves_png(tmp_path / "a.png", {"a": [{"epoch": 1, "speed": 3}]}, ["overall_accuracy"], "t")
