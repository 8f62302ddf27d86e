import json
from dataclasses import dataclass
from typing import Any

import pytest

from geo_lm4ve.engine.redraw import redraw
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.task import Task, TaskConfig
from geo_lm4ve.run_files import RunError


@dataclass
class Disk(DataConfig):
    def build(self) -> Any:
        return "the data"


class Drawing(Task):
    loss = metrics = records = None

    def check_records(self, records):
        for record in records:
            if record["label"] != "box":
                raise ValueError(f"{record['label']} is no class")

    def report(self, folder, results, records, data):
        folder.mkdir()
        (folder / "report.html").write_text(f"{results['metrics']} {len(records)} {data}")
        (folder / "notes.txt").write_text("")


RESULTS = {
    "metrics": {"a": 1}, "experiment": "small", "block": "mlp", "data": "D", "protocol": {"split": "test"}, "samples": 2
}  # fmt: skip


def write(folder, label="box", **changes):
    (folder / "results.json").write_text(json.dumps({**RESULTS, **changes}))
    rows = [{"index": 0, "label": "box"}, {"index": 1, "label": label}]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@dataclass
class Writer(TaskConfig):
    def build(self, data) -> Any:
        return Drawing()


def test_files_that_do_not_go_together_are_named(tmp_path):
    for changes, said in (({"samples": 3}, "counts 3 samples, predictions.jsonl has 2"), ({"label": "a"}, "a is no")):
        write(tmp_path, **changes)
        with pytest.raises(RunError, match=rf"{tmp_path} .*{said}.*evaluate it again"):
            redraw(ExperimentConfig(data=Disk(), task=Writer()), tmp_path, tmp_path / "out")


def test_a_run_is_drawn_from_its_files(tmp_path):
    write(tmp_path)
    written = redraw(ExperimentConfig(data=Disk(), task=Writer()), tmp_path, tmp_path / "out")
    assert written == [tmp_path / "out" / "report.html"]
    assert written[0].read_text() == "{'a': 1} 2 the data"


def test_an_unfinished_run_cannot_be_drawn(tmp_path):
    with pytest.raises(UserError, match=r"results\.json is missing: the run is not finished"):
        redraw(ExperimentConfig(data=Disk(), task=Writer()), tmp_path, tmp_path / "out")
