import json
from dataclasses import dataclass
from typing import Any

import pytest

from geo_lm4ve.engine.redraw import redraw
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.task import TaskConfig


@dataclass
class Disk(DataConfig):
    def build(self) -> Any:
        return "the data"


@dataclass
class Writer(TaskConfig):
    def build(self, data) -> Any:
        return self

    def report(self, folder, results, records, data):
        folder.mkdir()
        (folder / "report.html").write_text(f"{results['metrics']} {len(records)} {data}")
        (folder / "notes.txt").write_text("")


def test_a_run_is_drawn_from_its_files(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps({"metrics": {"a": 1}}))
    (tmp_path / "predictions.jsonl").write_text('{"index": 0}\n{"index": 1}\n')
    written = redraw(ExperimentConfig(data=Disk(), task=Writer()), tmp_path, tmp_path / "out")
    assert written == [tmp_path / "out" / "report.html"]
    assert written[0].read_text() == "{'a': 1} 2 the data"


def test_an_unfinished_run_cannot_be_drawn(tmp_path):
    with pytest.raises(UserError, match=r"results\.json is missing: the run is not finished"):
        redraw(ExperimentConfig(data=Disk(), task=Writer()), tmp_path, tmp_path / "out")
