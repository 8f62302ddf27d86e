"""Checkpoint files: containers, prefixes, damage, and pickled objects that are never run."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from geo_lm4ve.pretrained.reading import read_checkpoint
from geo_lm4ve.saved import CheckpointError


class Opened:
    """Leaves a trace if it is ever unpickled."""

    trace: ClassVar[list[str]] = []

    def __reduce__(self):
        return Opened.trace.append, ("opened",)


def test_file_of_the_official_trainer(tmp_path):
    path = tmp_path / "ckpt-best.pth"
    saved = {
        "base_model": {"module.norm.weight": torch.arange(3.0)},
        "optimizer": {"state": {}, "param_groups": [{"lr": 5e-4, "params": [0]}]},
        "epoch": 12,
        "metrics": {"acc": torch.tensor(83.07)},
        "best_metrics": {"acc": np.float64(83.07), "other": np.float32(1.5), "count": np.int64(3)},
    }
    torch.save(saved, path)
    state = read_checkpoint(path)
    assert list(state) == ["norm.weight"]
    assert torch.equal(state["norm.weight"], torch.arange(3.0))


@pytest.mark.parametrize("container", ["base_model", "model", "state_dict", None])
@pytest.mark.parametrize("legacy", [False, True])
def test_containers_and_both_file_formats(tmp_path, container, legacy):
    state = {"norm.weight": torch.ones(2)}
    path = tmp_path / "file.pth"
    torch.save({container: state, "epoch": 1} if container else state, path, _use_new_zipfile_serialization=not legacy)
    assert list(read_checkpoint(path)) == ["norm.weight"]


def test_prefix_inside_a_name_stays():
    assert list(read_checkpoint({"encoder.module.weight": torch.ones(1)})) == ["encoder.module.weight"]


def test_a_name_with_and_without_prefix_is_refused():
    with pytest.raises(CheckpointError, match="twice, with and without a prefix"):
        read_checkpoint({"norm.weight": torch.ones(1), "module.norm.weight": torch.ones(1)})


def test_pickled_objects_are_not_opened(tmp_path):
    path = tmp_path / "evil.pth"
    torch.save({"base_model": {"norm.weight": torch.ones(1)}, "config": Opened()}, path)
    with pytest.raises(CheckpointError, match="could run code when loaded"):
        read_checkpoint(path)
    assert Opened.trace == []


@pytest.mark.parametrize("kept", [0.9, 0.5, 0.01])
@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_file(tmp_path, kept, legacy):
    path = tmp_path / "cut.pth"
    torch.save({"norm.weight": torch.randn(4000)}, path, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match=r"cut\.pth .*download it again"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "content", [b"", b"<!DOCTYPE html><html>quota exceeded</html>", b"\x00" * 64, b"PK\x03\x04abc"]
)
def test_not_a_checkpoint(tmp_path, content):
    path = tmp_path / "page.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"page\.pth is cut off, damaged or not a PyTorch checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "content", [[1, 2], torch.ones(2), {"epoch": 3}, {}, {"model": {}}, {"a": torch.ones(1), "b": 2}]
)
def test_no_state_dict_inside(tmp_path, content):
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="is not a checkpoint: expected a state dict"):
        read_checkpoint(path)


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match=r"absent\.pth is not a file"):
        read_checkpoint(tmp_path / "absent.pth")


def test_damaged_safetensors(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(CheckpointError, match="is cut off, damaged or not a safetensors file"):
        read_checkpoint(path)
