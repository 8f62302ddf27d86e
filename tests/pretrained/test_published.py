"""Published results beside a score: only where every condition holds, else with those that do not."""

import pytest

from geo_lm4ve.pretrained.published import Benchmark, Published, beside, columns, described
from geo_lm4ve.pretrained.report import SAME_BLOCK, LoadReport

CONFIG = {"run": {"split": "test"}, "task": {"votes": 0}, "encoder": {"width": 64}, "data": {"sampling": "first"}}
VALUES = {"paper": {"accuracy": 0.937, "accuracy_std": 0.003, "mean": 0.909}, "released": {"accuracy": 0.94}}
ROW = Published(
    "Net", Benchmark("Shapes", 20), VALUES, "its paper, table 1",
    {"encoder.width": 64, "data.sampling": ("first", "shuffled")}, "of the best epoch",
)  # fmt: skip
SMALLER = Published("Small net", Benchmark("Shapes", 20), {}, "its paper, table 2", {"encoder.width": 32})


def loaded(*published, **more):
    values = {"missing": (), "unexpected": (), "block": "", **more}
    return LoadReport("a file", ("weight",), ignored={}, reshaped={}, sliced={}, published=published, **values)


def changed(**groups):
    return {**CONFIG, **{group: {**CONFIG[group], **values} for group, values in groups.items()}}


def found(config=CONFIG, benchmark="Shapes", samples=20, rows=(SMALLER, ROW), **more):
    return beside(loaded(*rows, **more), config, benchmark, samples)


def test_a_row_whose_conditions_hold_gives_its_numbers():
    published = found()
    assert (published["model"], published["benchmark"], published["differing"]) == ("Net", "Shapes", {})
    assert published["values"] == VALUES
    assert columns(published, ["accuracy", "mean", "loss"]) == {
        "published: paper": ["0.9370 ± 0.0030", "0.9090", ""],
        "published: released": ["0.9400", "", ""],
    }
    assert described(published) == "published: Net on Shapes, its paper, table 1; of the best epoch"
    assert found(changed(data={"sampling": "shuffled"}))["values"] == VALUES
    assert found(block=SAME_BLOCK, missing=("bridge.block.layers.0.weight",))["values"] == VALUES


@pytest.mark.parametrize(
    ("change", "name", "published", "here"),
    [
        ({"config": changed(run={"split": "val"})}, "run.split", "test", "val"),
        ({"config": changed(task={"votes": 10})}, "task.votes", "0", "10"),
        ({"config": changed(data={"sampling": "last"})}, "data.sampling", "first or shuffled", "last"),
        ({"config": {**CONFIG, "task": {}}}, "task.votes", "0", "no such setting"),
        ({"samples": 19}, "samples", "20", "19"),
        ({"missing": ("head.mlp.0.weight",)}, "weights", "all of the file", "freshly initialised head.mlp.0.weight"),
        ({"unexpected": ("mapper.weight",)}, "weights", "all of the file", "without mapper.weight"),
        ({"block": "sha256 differs"}, "weights", "all of the file", "another frozen block"),
    ],
)
def test_without_one_of_them_it_says_which_and_gives_no_number(change, name, published, here):
    row = found(rows=(ROW,), **change)
    assert row["model"] == "Net"
    assert row["differing"] == {name: {"published": published, "here": here}}
    assert columns(row, ["accuracy"]) == row["values"] == {}
    assert described(row) == (
        f"no published number beside this: that of Net on Shapes (its paper, table 1) is for {name} {published} "
        f"(here {here})"
    )


def test_the_nearest_row_is_meant():
    assert found(changed(encoder={"width": 32}))["model"] == "Small net"
    assert found(changed(encoder={"width": 48}, data={"sampling": "last"}))["model"] == "Small net"


def test_of_other_data_nothing_is_said():
    assert found(benchmark="Others") is None
    assert found(benchmark="") is None
    assert found(rows=()) is None
