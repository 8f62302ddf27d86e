import json

import pytest

from geo_lm4ve.files import UserError
from geo_lm4ve.viz.logs import draw_logs, run_name


def log(folder, *rows):
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_logs_of_runs_are_drawn_side_by_side(tmp_path):
    row = {"epoch": 1, "step": 3, "loss": 1.0, "val_overall_accuracy": 0.5}
    runs = [log(tmp_path / name, row, {**row, "epoch": 2, "step": 6}) for name in ("a", "b")]
    (runs[0] / "config.yaml").write_text("choices: {block: mlp}\n")
    assert [run_name(run) for run in runs] == ["mlp · a", "b"]
    assert [path.name for path in draw_logs(runs, tmp_path / "out", ["overall_accuracy"])] == ["curves.png"]
    with pytest.raises(UserError, match=r"no metrics\.jsonl"):
        draw_logs([*runs, tmp_path], tmp_path / "out", [])
    with pytest.raises(UserError, match="nothing to draw"):
        draw_logs([log(tmp_path / "c", {"epoch": 1, "speed": 3})], tmp_path / "out", ["overall_accuracy"])
