import json

import pytest

from geo_lm4ve.run_files import (
    RunError,
    log_until,
    read_metrics,
    read_predictions,
    read_results,
    read_selected,
    read_training,
)

ROWS = [{"epoch": 1, "step": 10, "loss": 2.0, "lr": 1e-3}, {"epoch": 2, "step": 20, "loss": 1.0, "lr": 5e-4}]

PUBLISHED = {"model": "Net", "benchmark": "Shapes", "source": "", "protocol": "", "values": {}, "differing": {}}


def write(path, text):
    path.write_text(text)
    return path


def test_a_line_cut_off_in_mid_write_is_left_out(tmp_path):
    path = write(tmp_path / "metrics.jsonl", "\n".join(map(json.dumps, ROWS)) + '\n{"epoch": 3, "lo')
    with pytest.warns(UserWarning, match="cut off"):
        assert read_metrics(path) == ROWS
    assert log_until(path, 9) == "\n".join(map(json.dumps, ROWS)) + "\n"
    assert log_until(path, 1) == json.dumps(ROWS[0]) + "\n"


def test_a_last_line_without_its_line_break_counts(tmp_path):
    path = write(tmp_path / "metrics.jsonl", "\n".join(map(json.dumps, ROWS)))
    assert read_metrics(path) == ROWS
    assert log_until(path, 2).endswith("\n")


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"loss": "low"}', '{"loss": {"a": 1}}', '{"epoch": 1.5}', "\0"])
def test_a_broken_line_elsewhere_is_named(tmp_path, line):
    path = write(tmp_path / "metrics.jsonl", f'{{"epoch": 1}}\n{line}\n{{"epoch": 2}}\n')
    with pytest.raises(RunError, match=r"metrics.jsonl .*line 2 "):
        read_metrics(path)


def test_what_is_not_finite_is_no_value(tmp_path):
    path = write(tmp_path / "metrics.jsonl", '{"epoch": 1, "loss": NaN, "lr": Infinity, "speed": null}\n')
    assert read_metrics(path) == [{"epoch": 1, "loss": None, "lr": None, "speed": None}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": "one"}, "seed is 'one', not a whole number"),
        ({"config": []}, "config is a list of 0, not a mapping"),
        ({"counts": {"test": -1}}, "counts.test is -1, not a whole number"),
        ({"trained_on": {"data": None}}, "lacks trained_on.note"),
        ({"metrics": {"a": True}}, "metric 'a' is 'True', not a number"),
        ({"metrics": {"a": 10**400}}, "metric 'a' is beyond 1e\\+100"),
        ({"published": "0.94"}, "published is '0.94', not a mapping"),
        ({"published": {"model": "Net"}}, "lacks published.benchmark"),
        (
            {"published": {**PUBLISHED, "values": {"paper": {"accuracy": "94 %"}}}},
            "accuracy is '94 %', not a finite number",
        ),
        (
            {"published": {**PUBLISHED, "differing": {"data.points": {"here": "1"}}}},
            r"lacks published.differing.data.points",
        ),
        ({"cost": {"flops_per_sample": {}}}, "lacks cost.flops_per_sample.encoder"),
        ({"wall_seconds": "long"}, "wall_seconds is 'long', not a finite number"),
    ],
)
def test_results_of_another_kind_are_named(tmp_path, change, said):
    path = write(tmp_path / "results.json", json.dumps({"metrics": {"a": 1}, **change}))
    with pytest.raises(RunError, match=rf"results.json .*{said}.*train again"):
        read_results(path)


def test_deep_results_do_not_overflow_whoever_walks_through_them(tmp_path):
    deep = '{"a": ' * 200 + "1" + "}" * 200
    with pytest.raises(RunError, match="nested more than 40 levels"):
        read_results(write(tmp_path / "results.json", f'{{"metrics": {{"a": 1}}, "config": {deep}}}'))


def test_predictions_are_one_line_per_sample_in_order(tmp_path):
    path = write(tmp_path / "predictions.jsonl", '{"index": 0}\n{"index": 1, "label": "box"}\n')
    assert [record["index"] for record in read_predictions(path)] == [0, 1]
    for text, said in (('{"index": 1}\n', "line 1 has index 1 instead of 0"), ('{"index": 0}\n{"in', "line 2: ")):
        with pytest.raises(RunError, match=said):
            read_predictions(write(path, text))


def test_a_choice_and_a_record_are_checked(tmp_path):
    path = tmp_path / "selected.json"
    assert read_selected(write(path, '{"select_on": "val", "epoch": 3}')) == {"select_on": "val", "epoch": 3}
    with pytest.raises(RunError, match=r"selected.json .*select_on is 'best', not val, test or last"):
        read_selected(write(path, '{"select_on": "best", "epoch": 3}'))
    with pytest.raises(RunError, match=r"training.json .*earlier names no data"):
        read_training(write(tmp_path / "training.json", '{"data": "solids", "earlier": [{"data_root": "a"}]}'))
