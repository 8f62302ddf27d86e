"""What a newcomer types: tensors where a batch was meant, and what is said about anything else."""

import re

import numpy as np
import pytest
import torch

import geo_lm4ve
from geo_lm4ve.calls import InputError, described
from geo_lm4ve.config import ConfigError
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.testing import random_tokens
from geo_lm4ve.traffic.batch import join_batches

BLOCKS = {
    "identity": ("identity", {}),
    "mlp": ("mlp", {"width": 24}),
    "ours": ("random_frozen", {}),
    "transformers'": ("gpt2", {"source": "random:gpt2"}),
    "lora": ("smollm2_135m", {"source": "random:smollm2_135m", "train": "lora"}),
}
CLOUDS = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def points():
    return geo_lm4ve.create_model("point_bert_tiny", num_classes=15, block="mlp").eval()


@pytest.fixture(scope="module")
def traffic():
    return geo_lm4ve.create_model("vectornet_small").eval()


@pytest.fixture(scope="module", params=BLOCKS)
def block(request):
    option, values = BLOCKS[request.param]
    return load_option("block", option, values).build()


def test_clouds_are_enough_and_equal_the_batch(points):
    scores = points(CLOUDS)
    assert scores.shape == (2, 15)
    assert torch.equal(scores, points(PointBatch(CLOUDS, torch.tensor([3, 4]), torch.arange(2))))
    assert torch.equal(points(CLOUDS.double()), points(PointBatch.of(CLOUDS.double())))
    assert torch.equal(points.encoder(CLOUDS).features, points.encoder(PointBatch.of(CLOUDS)).features)


def test_scenes_are_taken_one_batch_or_several(traffic):
    one, two = (traffic.config.encoder.sample_batch(2, seed) for seed in (0, 1))
    assert torch.equal(traffic([one, two]).positions, traffic(join_batches([one, two])).positions)
    assert torch.equal(traffic([one]).positions, traffic(one).positions)


WRONG_CLOUDS = {
    "one cloud": (CLOUDS[0], "float32 tensor of shape (64, 3): add the batch axis, model(points[None])"),
    "channels first": (CLOUDS.transpose(1, 2), "coordinates come last, model(points.transpose(1, 2))"),
    "with intensity": (torch.randn(2, 64, 4), "leave out what is no coordinate, model(points[..., :3])"),
    "plane": (torch.randn(2, 64, 2), "three coordinates of each of N points"),
    "none": (CLOUDS[:0], "B >= 1 clouds"),
    "whole numbers": (CLOUDS.long(), "int64 tensor of shape (2, 64, 3): make it fractions, model(points.float())"),
    "numpy": (CLOUDS.numpy(), "float32 numpy array of shape (2, 64, 3): numbers become a tensor by torch.as_tensor"),
    "list": ([*CLOUDS], "list of 2 Tensor: clouds of one size become one tensor by torch.stack(clouds)"),
    "file": ("chair.off", "'chair.off': files are read by load_option"),
    "mapping": ({"points": CLOUDS}, "dict of points: numbers become a tensor"),
    "nothing": (None, "this is None"),
}


@pytest.mark.parametrize("wrong", WRONG_CLOUDS)
def test_anything_else_says_what_a_model_of_clouds_takes(points, wrong):
    given, words = WRONG_CLOUDS[wrong]
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        points(given)
    assert "takes coordinates x, y, z as a floating point tensor (B, N, 3)" in str(caught.value)


def test_clouds_that_no_model_can_group_are_named(points):
    with pytest.raises(ConfigError, match="clouds of 10 points cannot give 32 groups of 16"):
        points(CLOUDS[:, :10])
    broken = CLOUDS.clone()
    broken[1, 5, 2] = torch.nan
    with pytest.raises(ValueError, match=r"points\[1, 5\] is .*nan.*must be finite"):
        points(broken)


@pytest.mark.parametrize("given", [CLOUDS, [], CLOUDS.numpy(), PointBatch.of(CLOUDS)], ids=str)
def test_anything_else_says_what_a_model_of_scenes_takes(traffic, given):
    with pytest.raises(InputError, match=r"takes a SceneBatch or a list.*load_option\(.*sample_batch\(2\)"):
        traffic(given)


def test_the_lines_that_errors_show_give_batches(tmp_path, points, traffic):
    np.save(tmp_path / "cloud.npy", CLOUDS[0].numpy())
    batch = load_option("data", "point_folder", {"root": ".", "points": 64}).read([tmp_path / "cloud.npy"])
    assert points(batch).shape == (1, 15)
    assert len(traffic(traffic.config.encoder.sample_batch(2))) == 2


def test_a_block_takes_tokens_without_a_mask(block):
    x = torch.randn(2, 7, block.dim or 12)
    assert torch.equal(block(x), block(x, torch.ones(2, 7, dtype=torch.bool)))
    assert torch.equal(block(x), block(x, valid=None))


def wrong_tokens(dim):
    x = torch.randn(2, 7, dim)
    return {
        "one sample": ((x[0],), f"float32 tensor of shape (7, {dim}): add the batch axis, block(x[None])"),
        "four axes": ((x[None],), "one row of N tokens for each sample"),
        "whole numbers": ((x.long(),), "make it fractions, block(x.float())"),
        "numpy": ((x.numpy(),), "make it a tensor, block(torch.as_tensor(x))"),
        "numbers as a mask": ((x, torch.ones(2, 7)), "valid is float32 tensor of shape (2, 7): True where"),
        "pairs as a mask": (
            (x, torch.ones(2, 7, 7, dtype=torch.bool)),
            "must be (2, 7), it says which tokens are real",
        ),
        "one row as a mask": ((x, torch.ones(7, dtype=torch.bool)), "must be (2, 7), one value per token"),
        "list as a mask": ((x, [True] * 7), "valid is list of 7 bool: True where"),
    }


@pytest.mark.parametrize("wrong", wrong_tokens(1))
def test_anything_else_says_what_a_block_takes(block, wrong):
    arguments, words = wrong_tokens(block.dim or 12)[wrong]
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        block(*arguments)
    assert f"{type(block).__name__} takes tokens x (B, N, {block.dim or 'D'})" in str(caught.value)


def test_another_width_leads_to_adapters(block):
    if block.dim is None:
        assert block(torch.randn(2, 7, 5)).shape == (2, 7, 5)
        return
    with pytest.raises(InputError, match=rf"\(B, N, {block.dim}\).*shape \(2, 7, 5\).*LinearBridgeConfig"):
        block(torch.randn(2, 7, 5))


def test_bridge_and_head_say_what_they_take(points):
    tokens = points.encoder(CLOUDS)
    for part in (points.bridge, points.head):
        with pytest.raises(InputError, match=r"takes a TokenSet of width 96, not float32 tensor.*TokenSet\.full"):
            part(tokens.features)
        with pytest.raises(InputError, match=r"of width 96; this one holds a float32 tensor of shape \(2, 7, 8\)"):
            part(random_tokens(2, dim=8))
    with pytest.raises(InputError, match="reads the spans cls, groups; the tokens have cls: no groups"):
        points.head(tokens.select("cls"))
    assert points.head(points.bridge(tokens)).shape == (2, 15)


def test_what_is_described_stays_on_one_short_line():
    assert described({"a\n\x1b": 1}).isprintable()
    assert len(described("x" * 10_000)) < 100
    assert described([]) == "empty list"
