"""A run on images: what a user types after training."""

import json
import shutil

import pytest
from PIL import Image
from small_runs import tool

from geo_lm4ve.commands import train
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.parts.data import DataInfo, DataSource

SMALL = (
    "data=synthetic_images", "data.train=4", "data.val=2", "data.test=2", "data.pixels=32", "data.size=32",
    "encoder=vit_mini", "encoder.size=32", "block=mlp", "block.width=32", "optim.epochs=1", "optim.batch_size=8",
    "run.cost=false", "run.pictures=false",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    roots = (f"data.root={folder / 'made'}", f"run.root={folder / 'runs'}")
    train.main([str(CONFIGS / "image_folder.yaml"), *SMALL, *roots])
    (run,) = (folder / "runs" / "image_folder").iterdir()
    return folder / "made", run


def test_the_score_has_top_five_and_says_that_the_images_are_generated(made):
    results = json.loads((made[1] / "results.json").read_text())
    assert results["synthetic"] is True
    assert 0 <= results["metrics"]["overall_accuracy"] <= results["metrics"]["top_5_accuracy"] <= 1
    assert results["samples"] == 20


def test_images_of_ones_own_are_classified(made, tmp_path, capsys):
    root, run = made
    for suffix in (".jpg", ".png"):  # the latter is the mask of the former
        shutil.copy(root / "test" / "mug" / f"00000{suffix}", tmp_path / f"a{suffix}")
    Image.new("L", (50, 20), 200).save(tmp_path / "b.png")
    (tmp_path / "c.jpg").write_bytes(b"no image")
    code, _, err = tool(capsys, "predict", run, tmp_path, "--out", tmp_path / "p.json")
    assert code == 1  # one was left out
    assert "c.jpg" in err
    predictions = json.loads((tmp_path / "p.json").read_text())
    assert [one["file"].rpartition("/")[2] for one in predictions] == ["a.jpg", "b.png"]
    assert sum(share for _, share in predictions[0]["top"]) <= 1 + 1e-6


def test_activation_of_patches_is_drawn(made, tmp_path, capsys):
    arguments = ("--activation", "frequency", "--scenes", "4", "--out", tmp_path)
    code, out, err = tool(capsys, "visualize", made[1], *arguments)
    assert code == 0, err
    assert out.strip() == str(tmp_path / "activation.png")
    with Image.open(tmp_path / "activation.png") as picture:
        assert min(picture.size) > 300


def test_evaluation_votes_over_views(made, capsys):
    code, _, err = tool(capsys, "evaluate", made[1], "task.votes=2")
    assert code == 0, err
    (evaluation,) = (made[1] / "evaluations" / "image_folder").iterdir()
    assert json.loads((evaluation / "results.json").read_text())["protocol"]["votes"] == 2


def test_data_that_have_no_such_picture_say_so(tmp_path):
    class Plain(DataSource):
        info = DataInfo("numbers", (), {"test": 1})

        def loader(self, split, **place):
            raise NotImplementedError

    with pytest.raises(DataError, match="numbers has no picture of token activation; leave --activation out"):
        Plain().draw_tokens(tmp_path / "a.png", None, {}, max, [], "t")
    with pytest.raises(DataError, match="numbers is read in order, its samples cannot be picked"):
        Plain().split("test")
