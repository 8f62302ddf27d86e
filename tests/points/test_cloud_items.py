"""Clouds of anybody's data set: what an item may be, and runs that go on where they were cut off."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from clouds import shapes_unchecked
from safetensors.torch import load_file
from small_runs import NAMES, experiment
from small_runs import clouds as make

from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.files import UserError
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.mapped import MappedData
from geo_lm4ve.points.items import collate_clouds
from geo_lm4ve.points.viz.exhibit import exhibit

TRIANGLE = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    "item",
    [
        (torch.tensor(TRIANGLE), 2),
        (torch.tensor(TRIANGLE, dtype=torch.float64), torch.tensor(2)),
        [np.array(TRIANGLE), np.int16(2)],
        {"points": TRIANGLE, "label": 2, "name": "triangle"},
        (np.array(TRIANGLE, dtype="f2"), np.array(2, dtype="u1")),
    ],
)
def test_an_item_may_be_any_of_these(item):
    batch = collate_clouds([item, item], torch.tensor([4, 1]))
    assert torch.equal(batch.points, torch.tensor([TRIANGLE, TRIANGLE]))
    assert batch.points.dtype == torch.float32
    assert batch.labels.tolist() == [2, 2]
    assert batch.labels.dtype == torch.int64
    assert batch.index.tolist() == [4, 1]


def test_a_read_only_array_is_not_shared():
    points = np.array(TRIANGLE, dtype="f4")
    points.setflags(write=False)
    collate_clouds([(points, 0)], torch.tensor([0])).points.zero_()
    assert points.sum() == 2


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (torch.tensor(TRIANGLE), r"row 7 is a Tensor, not a pair \(points, label\) or a mapping with those two keys"),
        ((TRIANGLE, 0, "name"), "row 7 is a tuple, not a pair"),
        ({"points": TRIANGLE, "class": 0}, "row 7 has no 'label', only points, class"),
        ((torch.rand(5, 6), 0), r"row 7: points must be \(N, 3\), they are \(5, 6\)"),
        ((torch.rand(3, 5).T[:0], 0), r"row 7: points must be \(N, 3\), they are \(0, 3\)"),
        (([[0, 0, 0], [1, 1]], 0), r"row 7: points must be \(N, 3\) numbers, not a list of others"),
        (("cloud.ply", 0), "row 7: points must be .* not a str of others"),
        ((TRIANGLE, 1.5), "row 7: label must be a whole number, it is 1.5"),
        ((TRIANGLE, "chair"), "row 7: label must be a whole number, it is 'chair'"),
        (([[0, 0, 0], [1, np.nan, 0]], 0), r"row 7, point 1 is \[1.0, nan, 0.0\]: coordinates must be finite"),
        (([[0, 0, 1e300]], 0), r"row 7, point 0 is \[0.0, 0.0, inf\]"),
        ((torch.rand(4, 3), 0), "one number of points, row 2 has 3, row 7 has 4; take points"),
    ],
)
def test_an_item_of_another_kind_is_named_by_its_row(item, text):
    with pytest.raises(ValueError, match=text):
        collate_clouds([(TRIANGLE, 0), item], torch.tensor([2, 7]))


NORMALS, SHADES = [[0.0, 0.0, 1.0]] * 3, [[0.5], [0.25], [1.0]]


def test_items_may_have_features_of_named_kinds():
    item = {"points": TRIANGLE, "label": 0, "features": {"normal": np.array(NORMALS), "intensity": SHADES}}
    other = {"points": TRIANGLE, "label": 1, "features": {"intensity": SHADES, "normal": torch.tensor(NORMALS)}}
    batch = collate_clouds([item, other], torch.tensor([0, 1]))
    assert batch.feature_names == ("normal", "intensity")
    assert torch.equal(batch.features, torch.tensor([[*n, *s] for n, s in zip(NORMALS, SHADES)]).expand(2, 3, 4))
    assert collate_clouds([(TRIANGLE, 0), {"points": TRIANGLE, "label": 0}], torch.arange(2)).features is None


@pytest.mark.parametrize(
    ("features", "text"),
    [
        ({}, "row 7 has the features none, the first item of its batch normal: normal must be in all or in none"),
        ({"normal": NORMALS, "intensity": SHADES}, "row 7 has the features normal, intensity, .* intensity must be"),
        ({"normal": NORMALS[:2]}, r"row 7: features\['normal'\] must be \(3, 3\), they are \(2, 3\)"),
        ({"normal": SHADES}, r"must be \(3, 3\), they are \(3, 1\)"),
        ({"normal": "up"}, r"row 7: features\['normal'\] must be \(3, 3\) numbers, not a str of others"),
        ({"normal": [[0, 0, np.inf]] * 3}, r"row 7, point 0 is \[0.0, 0.0, inf\]: features must be finite"),
    ],
)
def test_features_that_do_not_fit_are_named_by_row_and_kind(features, text):
    first = {"points": TRIANGLE, "label": 0, "features": {"normal": NORMALS}}
    with pytest.raises(ValueError, match=text):
        collate_clouds([first, {"points": TRIANGLE, "label": 0, "features": features}], torch.tensor([2, 7]))


def test_an_unknown_kind_of_feature_lists_those_there_are():
    item = {"points": TRIANGLE, "label": 0, "features": {"rgb": NORMALS}}
    with pytest.raises(
        ValueError, match="row 3: a kind of feature is one of height, normal, color, intensity, not 'rg"
    ):
        collate_clouds([item], torch.tensor([3]))


class Solids(torch.utils.data.Dataset):
    """Four kinds of solids; reading may be cut off once."""

    def __init__(self, count, seed):
        self.points, self.labels = make(count, 128, seed)
        self.left = None

    def __len__(self):
        return len(self.points)

    def __getitem__(self, row):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise OSError("the disk is gone")
        return self.points[row], int(self.labels[row, 0])


def turned(item, generator):
    angle = 6.28 * torch.rand(1, generator=generator)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(1)
    turn = torch.stack([torch.cat([cos, -sin, zero]), torch.cat([sin, cos, zero]), torch.tensor([0.0, 0.0, 1.0])])
    return torch.from_numpy(item[0]) @ turn, item[1]


@dataclasses.dataclass
class SolidsConfig(DataConfig):
    name: str = "solids"
    fails_after: int | None = None

    def build(self):
        train = Solids(8, 0)
        train.left = self.fails_after
        return MappedData(
            self, "solids", {"train": train, "test": Solids(5, 1)}, collate_clouds, classes=NAMES, augment=turned,
            val_fraction=0.25, labels=train.labels[:, 0], exhibit=exhibit, synthetic=True,
        )  # fmt: skip


def run_of(tmp_path, changes, **data):
    return dataclasses.replace(experiment(tmp_path, **changes), data=SolidsConfig(**data))


def folder_of(tmp_path):
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    return folder


def assert_same_run(one, other):
    weights = [load_file(run / "checkpoints" / "last" / "model.safetensors") for run in (one, other)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    logs = [(run / "metrics.jsonl").read_text().splitlines() for run in (one, other)]
    for first, second in zip(*(map(json.loads, log) for log in logs), strict=True):
        assert {**first, "samples_per_second": 0} == {**second, "samples_per_second": 0}


class Killed(BaseException):
    """Stands for a process that dies without a chance to clean up."""


CHANGES = {"run": {"checkpoint_steps": 2}, "optim": {"epochs": 2, "batch_size": 4}}  # 6 steps an epoch


@pytest.fixture
def unchecked():
    """Without the test suite's shape checker, which draws from the generator ``random`` that threads share."""
    with shapes_unchecked():
        yield


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_was_killed_within_an_epoch_goes_on_to_the_same_weights(tmp_path, monkeypatch, workers):
    train(run_of(tmp_path / "whole", CHANGES))
    end_step = Trainer.end_step

    def die(self):
        stop = end_step(self)
        if self.position.steps == 3:
            raise Killed
        return stop

    monkeypatch.setattr(Trainer, "end_step", die)
    broken = run_of(tmp_path / "broken", CHANGES, workers=workers)
    with pytest.raises(Killed):
        train(broken)
    monkeypatch.undo()
    train(broken, folder_of(tmp_path / "broken"))
    assert_same_run(folder_of(tmp_path / "whole"), folder_of(tmp_path / "broken"))


def test_a_sample_that_cannot_be_read_costs_nothing_that_was_trained(tmp_path):
    train(run_of(tmp_path / "whole", {**CHANGES, "run": {**CHANGES["run"], "pictures": True}}))
    assert (folder_of(tmp_path / "whole") / "contact_sheet.png").is_file()
    with pytest.raises(
        UserError, match=r"solids, split train, row \d+ .* cannot be read \(OSError: the disk"
    ) as caught:
        train(run_of(tmp_path / "broken", CHANGES, fails_after=14))
    folder = folder_of(tmp_path / "broken")
    assert caught.value.__notes__[-1] == f"what was trained is kept; go on with: python tools/train.py {folder}"
    train(run_of(tmp_path / "broken", CHANGES), folder)
    assert_same_run(folder_of(tmp_path / "whole"), folder)
