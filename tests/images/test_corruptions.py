"""ImageNet-C: means over corruptions and severities, out of evaluations."""

import json

import pytest

from geo_lm4ve.files import UserError
from geo_lm4ve.images.formats.imagenet_variants import CORRUPTIONS, SEVERITIES
from geo_lm4ve.images.scoring.corruptions import ALEXNET, Corruptions
from geo_lm4ve.parts import scorer


def whole(accuracy):
    return {corruption: dict.fromkeys(SEVERITIES, accuracy(corruption)) for corruption in ALEXNET}


def test_the_corruptions_are_those_that_are_read():
    assert tuple(ALEXNET) == CORRUPTIONS


def test_alexnet_itself_has_an_mce_of_one_and_the_errors_of_the_paper():
    scores = Corruptions(whole(lambda corruption: 1 - ALEXNET[corruption]))
    assert scores.means["mce"] == pytest.approx(1)
    # Table 1 of arXiv 1903.12261 gives AlexNet's mean accuracy nowhere, but its errors by corruption, in whole percent.
    assert [round(100 * error) for error in ALEXNET.values()] == [
        89, 89, 92, 82, 83, 79, 80, 87, 83, 82, 56, 85, 65, 72, 61,
    ]  # fmt: skip


def test_the_means_are_over_all_fifteen_and_five():
    scores = Corruptions(whole(lambda corruption: 0.4 if corruption == "fog" else 0.2))
    assert scores.means["top_1_accuracy"] == pytest.approx((14 * 0.2 + 0.4) / 15)
    errors = [(0.6 if one == "fog" else 0.8) / ALEXNET[one] for one in ALEXNET]
    assert scores.means["mce"] == pytest.approx(sum(errors) / 15)
    assert scores.error("fog") == pytest.approx(0.6 / 0.819324)


def test_a_mean_without_all_of_its_parts_is_missing():
    accuracy = whole(lambda _: 0.5)
    del accuracy["snow"][3]
    scores = Corruptions(accuracy)
    assert scores.missing == ["snow/3"]
    assert scores.means == {}
    assert scores.mean("snow") is None
    assert scores.error("snow") is None
    assert scores.mean("frost") == 0.5


def evaluated(folder, corruption, severity, accuracy, checkpoint="runs/a", data="imagenet_c"):
    place = folder / "evaluations" / f"20260101-{len(list(folder.glob('evaluations/*'))):06d}-0"
    place.mkdir(parents=True)
    config = {"data": {"name": data, "corruption": corruption, "severity": severity}}
    results = {
        "metrics": {"overall_accuracy": accuracy}, "config": config, "protocol": {"checkpoint": checkpoint},
        "experiment": "e",
    }  # fmt: skip
    (place / "results.json").write_text(json.dumps(results))


def score(folder, *more):
    return scorer.main(["--predictions", str(folder), "--protocol", "imagenet_c", *more])


def test_the_evaluations_of_a_run_make_one_table(tmp_path, capsys):
    for corruption in ALEXNET:
        for severity in SEVERITIES:
            evaluated(tmp_path, corruption, severity, 0.5 - 0.05 * severity)
    evaluated(tmp_path, "fog", 1, 0.9, data="imagenet")
    assert score(tmp_path, "--out", str(tmp_path / "o.json")) == 0
    out = capsys.readouterr().out
    assert "mean top-1 35.0 %" in out
    assert "gaussian_noise" in out
    written = json.loads((tmp_path / "o.json").read_text())
    assert written["metrics"]["top_1_accuracy"] == pytest.approx(0.35)
    assert written["accuracy"]["fog"]["2"] == pytest.approx(0.4)


def test_what_is_missing_is_named(tmp_path, capsys):
    evaluated(tmp_path, "fog", 1, 0.5)
    assert score(tmp_path) == 0
    assert "mean top-1 and mCE are missing: 74 of 75 evaluations are not there (gaussian_noise/1" in (
        capsys.readouterr().out.replace("\n", " ")
    )


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"accuracy": 0.6}, "two evaluations of fog, severity 1, with different scores"),
        ({"corruption": "snow", "checkpoint": "runs/b"}, "different models: runs/a, runs/b"),
    ],
)
def test_evaluations_that_cannot_be_meant_together_are_refused(tmp_path, second, message):
    first = {"corruption": "fog", "severity": 1, "accuracy": 0.5}
    evaluated(tmp_path, **first)
    evaluated(tmp_path, **{**first, **second})
    options = scorer.argparse.Namespace(predictions=tmp_path, out=None)
    with pytest.raises(UserError, match=message):
        scorer.found("imagenet_c")["imagenet_c"].score(options)


def test_a_folder_without_such_evaluations_is_refused(tmp_path, capsys):
    evaluated(tmp_path, "fog", 1, 0.5, data="imagenet")
    assert score(tmp_path) == 1
    assert "holds no evaluation with data=imagenet_c" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"corruption": "rain"}, "there is no corruption 'rain'"),
        ({"severity": 6}, "config.data.severity is 6, not a whole number from 1 to 5"),
        ({"severity": "x"}, "config.data.severity is 'x', not a whole number"),
        ({"accuracy": 1.5}, "overall_accuracy is 1.5, not between 0 and 1"),
    ],
)
def test_a_damaged_evaluation_is_named(tmp_path, capsys, spoilt, message):
    evaluated(tmp_path, **{"corruption": "fog", "severity": 1, "accuracy": 0.5, **spoilt})
    assert score(tmp_path) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert message in said
    assert "000000-0/results.json" in said


def test_an_evaluation_that_cannot_be_read_is_said_and_not_just_missing(tmp_path, capsys):
    for severity in (1, 2):
        evaluated(tmp_path, "fog", severity, 0.5)
    next(iter(sorted(tmp_path.glob("evaluations/*/results.json")))).write_text("{")
    assert score(tmp_path) == 0
    shown = capsys.readouterr()
    assert "000000-0: left out (" in shown.err
    assert "74 of 75 evaluations" in shown.out.replace("\n", " ")
