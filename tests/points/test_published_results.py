"""Official checkpoints beside what was published of them, as the shipped experiments score them."""

import json

import pytest
import torch
from point_folders import write_scans
from pointnext_official import draw, small_shapes
from small_runs import tool

from geo_lm4ve.cli import load
from geo_lm4ve.config import plain
from geo_lm4ve.create import create_model
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.pretrained.published import beside

BENCHMARKS = {"modelnet40": ("ModelNet40", 2468), "scanobjectnn": ("ScanObjectNN PB_T50_RS", 2882)}
W64 = ["encoder=pointnext_s_w64"]
EIGHT = ["data=modelnet40_8k", "encoder=point_bert_8k"]


def accuracy(values):
    return {who: metrics["overall_accuracy"] for who, metrics in values.items()}


def published(report, name, overrides=(), samples=None, benchmark=None):
    experiment = load(CONFIGS / f"{name}.yaml", ["block=identity", *overrides])[0]
    known, size = BENCHMARKS[name.partition("_")[0]]
    return beside(report, plain(experiment), benchmark or known, samples or size)


def report_of(state, encoder, head, classes):
    with torch.device("meta"):
        model = create_model(encoder, head=head, num_classes=classes)
    return load_official(model.to_empty(device="cpu"), state)


@pytest.fixture(scope="module")
def point_bert():
    with torch.device("meta"):
        model = create_model("point_bert", num_classes=40)
    return {key: value.zero_() for key, value in to_official(model.to_empty(device="cpu")).items()}


@pytest.fixture(scope="module")
def of_point_bert(point_bert):
    return report_of(point_bert, "point_bert", "classification", 40)


@pytest.fixture(scope="module")
def of_pointnext():
    return report_of(draw(small_shapes(64)), "pointnext_s_w64", "pointnext", 40)


def test_pointnext_on_modelnet40(of_pointnext):
    found = published(of_pointnext, "modelnet40_pointnext_llama", W64)
    assert found["values"] == {
        "paper": {
            "overall_accuracy": 0.937,
            "overall_accuracy_std": 0.003,
            "mean_class_accuracy": 0.909,
            "mean_class_accuracy_std": 0.005,
        },
        "released checkpoint": {"overall_accuracy": 0.94, "mean_class_accuracy": 0.911},
    }
    assert (
        published(of_pointnext, "modelnet40_pointnext_llama", [*W64, "data.sampling=first"])["values"]
        == found["values"]
    )
    other = published(of_pointnext, "modelnet40_pointnext_llama", [*W64, "data.sampling=fps_random"])
    assert other["differing"] == {"data.sampling": {"published": "first_shuffled or first", "here": "fps_random"}}
    assert published(of_pointnext, "modelnet40_pointnext_llama", W64, benchmark="my chairs") is None


def test_pointnext_of_a_width_that_has_no_published_number():
    report = report_of(draw(small_shapes(32)), "pointnext_s", "pointnext", 40)
    found = published(report, "modelnet40_pointnext_llama")
    assert found["values"] == {}
    assert found["differing"] == {"encoder.width": {"published": "64", "here": "32"}}


def test_pointnext_on_scanobjectnn():
    report = report_of(draw(small_shapes(32, inputs=4, classes=15)), "pointnext_s_height", "pointnext", 15)
    found = published(report, "scanobjectnn_pointnext_llama")
    assert found["values"] == {
        "paper": {
            "overall_accuracy": 0.877,
            "overall_accuracy_std": 0.004,
            "mean_class_accuracy": 0.858,
            "mean_class_accuracy_std": 0.006,
        },
        "released checkpoint": {"overall_accuracy": 0.882, "mean_class_accuracy": 0.8684},
    }
    few = published(report, "scanobjectnn_pointnext_llama", ["data.limit=100"], samples=100)
    assert few["differing"].keys() == {"data.limit", "samples"}
    assert published(report, "scanobjectnn_pointnext_llama", benchmark="ScanObjectNN OBJ_BG") is None


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], 0.9267),
        (["task.votes=10"], 0.9324),
        (["data=modelnet40_8k", "data.points=4096", "encoder=point_bert_4k"], 0.9291),
        (EIGHT, 0.9319),
        ([*EIGHT, "task.votes=10"], 0.9376),
    ],
)
def test_point_bert_on_modelnet40(of_point_bert, overrides, expected):
    assert accuracy(published(of_point_bert, "modelnet40_llama", overrides)["values"]) == {"README": expected}


def test_point_bert_with_other_points_than_published(of_point_bert):
    found = published(of_point_bert, "modelnet40_llama", ["data.points=512"])
    assert found["differing"] == {"data.points": {"published": "1024", "here": "512"}}


@pytest.mark.parametrize(
    ("variant", "release", "paper"),
    [("OBJ_BG", 0.8743, 0.874), ("OBJ_ONLY", 0.8812, 0.881), ("PB_T50_RS", 0.8307, 0.831)],
)
def test_point_bert_on_scanobjectnn(of_point_bert, variant, release, paper):
    found = published(of_point_bert, "scanobjectnn_point_bert_llama", benchmark=f"ScanObjectNN {variant}")
    assert accuracy(found["values"]) == {"README": release, "paper": paper}


def test_one_command_prints_both(tmp_path, monkeypatch, capsys, point_bert):
    monkeypatch.setenv("COLUMNS", "200")
    write_scans(tmp_path / "scans", "", "main_split_nobg", points=1024)
    torch.save({"base_model": point_bert, "epoch": 300}, tmp_path / "official.pth")
    arguments = [
        CONFIGS / "scanobjectnn_point_bert_llama.yaml", f"run.checkpoint={tmp_path / 'official.pth'}",
        "run.classes=slice", "block=identity", f"data.root={tmp_path / 'scans'}", "data.variant=obj_only",
        f"run.root={tmp_path / 'runs'}",
    ]  # fmt: skip
    code, shown, errors = tool(capsys, "evaluate", *arguments)
    assert code == 0, errors
    row = next(line.split() for line in shown.splitlines() if "overall_accuracy" in line and "│" in line)
    assert row[-2] == "0.8810"
    assert row[-4] == "0.8812"
    assert "published: Point-BERT on ScanObjectNN OBJ_ONLY, Point-BERT's README, and table 2" in shown
    (folder,) = (tmp_path / "runs").glob("*/*")
    results = json.loads((folder / "results.json").read_text())
    assert accuracy(results["published"]["values"]) == {"README": 0.8812, "paper": 0.881}
    page = (folder / "report.html").read_text()
    assert "Beside the published numbers" in page
    assert "0.8812" in page
    code, shown, errors = tool(capsys, "evaluate", *arguments, "data.limit=5", "run.pictures=false")
    assert code == 0, errors
    assert "0.8812" not in shown
    assert "is for data.limit None (here 5)" in shown
