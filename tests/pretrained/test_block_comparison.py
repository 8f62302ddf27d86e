"""The frozen block inside the paper's checkpoints against the model's own."""

import json

import pytest
import torch

from geo_lm4ve.blocks.controls import MLPControl
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.pretrained import load_official
from geo_lm4ve.saved import CheckpointError


@pytest.fixture
def checkpoint(official):
    return official.with_llama()


@pytest.fixture
def llama(checkpoint, tmp_path):
    """The block of the checkpoint, read out of a folder as Meta publishes it."""
    params = {"dim": 256, "n_heads": 2, "n_layers": 3, "norm_eps": 1e-6, "multiple_of": 16, "vocab_size": -1}
    (tmp_path / "params.json").write_text(json.dumps(params))
    layer = {k.replace("llama.layers.0", "layers.2"): v for k, v in checkpoint.items() if k.startswith("llama.layers")}
    torch.save(layer | {"norm.weight": torch.full((256,), 2.0)}, tmp_path / "consolidated.00.pth")
    return lambda **options: FrozenBlock.from_source(f"meta:{tmp_path}", **options)


def model_with(block):
    base = create_model("point_bert", num_classes=5, dim=24, depth=2, heads=3, encoder_dim=16)
    return Model(base.encoder, LinearBridgeConfig().build(block, 24), base.head)


def test_the_same_block_is_recognised(checkpoint, llama):
    report = load_official(model_with(llama()), checkpoint)
    assert report.block == "the same as the model's"
    assert "frozen block: the same" in str(report)


def test_other_weights_are_refused_unless_allowed(checkpoint, llama):
    block = llama()
    checkpoint["llama.layers.0.attention.wq.weight"] += 1e-3
    with pytest.raises(CheckpointError, match=r"frozen block is not the model's: sha256 .* pass allow=\('llama',\)"):
        load_official(model_with(block), checkpoint)
    assert "sha256" in load_official(model_with(block), checkpoint, allow=("llama",)).block


def test_a_loaded_final_norm_is_another_block(checkpoint, llama):
    with pytest.raises(CheckpointError, match=r"block\.final_norm=ones"):
        load_official(model_with(llama(final_norm="loaded")), checkpoint)


def test_a_control_is_no_language_model(checkpoint):
    with pytest.raises(CheckpointError, match=r"the model's block \(MLPControl\) is no layer of a language model"):
        load_official(model_with(MLPControl(256)), checkpoint)


def test_a_file_without_the_norm_or_with_other_heads_is_another_block(checkpoint, llama):
    block, norm = llama(), checkpoint.pop("llama.norm.weight")
    with pytest.raises(CheckpointError, match=r"the given mapping .* the file lacks the norm after it"):
        load_official(model_with(block), checkpoint)
    checkpoint["llama.norm.weight"] = norm
    checkpoint["llama.layers.0.attention.wk.weight"] = torch.ones(100, 256)
    with pytest.raises(
        CheckpointError, match=r"no layers of LLaMA's \(self_attn\.k_proj\.weight of shape \[100, 256\]"
    ):
        load_official(model_with(block), checkpoint)
    assert "no layers" in load_official(model_with(block), checkpoint, allow=("llama",)).block
