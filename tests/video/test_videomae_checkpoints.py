"""VideoMAE's checkpoints: those of its authors, before and after fine-tuning, and of the paper's authors."""

import pytest
import torch
from golden_models import llama_layers

from geo_lm4ve.create import create_model
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.saved import CheckpointError

SIZES = {"dim": 32, "depth": 2, "heads": 2, "patch": 8, "size": 32, "frames": 4}


def small(seed=0, classes=5, block="identity", **changes):
    torch.manual_seed(seed)
    model = create_model("videomae_small", block=block, num_classes=classes, **{**SIZES, **changes}).eval()
    return model.requires_grad_(False)


def differing(model, other):
    """Names of the tensors that differ."""
    return [key for key, value in model.state_dict().items() if not torch.equal(other.state_dict()[key], value)]


def pre_trained(model):
    """What a file of the pre-training holds of a model's encoder, with a norm and a decoder of its own."""
    kept = {
        f"encoder.{key}": value for key, value in to_official(model).items() if not key.startswith(("fc_norm", "head"))
    }
    norm = {f"{at}.{kind}": torch.ones(32) for at in ("encoder.norm", "decoder.norm") for kind in ("weight", "bias")}
    return {**kept, **norm, "mask_token": torch.zeros(1, 1, 16), "encoder_to_decoder.weight": torch.zeros(16, 32)}


def test_weights_go_to_official_names_and_back():
    model, other = small(), small(1)
    state = to_official(model)
    assert {key for key in state if key.startswith("blocks.1.attn.")} == {
        f"blocks.1.attn.{name}" for name in ("q_bias", "v_bias", "qkv.weight", "proj.weight", "proj.bias")
    }
    report = load_official(other, state)
    assert (report.layout, report.missing, report.unexpected) == ("VideoMAE, fine-tuned", (), ())
    assert not differing(model, other)


@pytest.mark.parametrize("container", ["model", "module"])
def test_a_file_of_the_pre_training_gives_the_encoder(container, tmp_path):
    model, other = small(), small(1)
    torch.save({container: pre_trained(model), "epoch": 799}, tmp_path / "checkpoint.pth")
    report = load_official(other, tmp_path / "checkpoint.pth")
    assert report.layout == "VideoMAE, pre-trained"
    assert not [key for key in differing(model, other) if key.startswith("encoder.")]
    assert str(report).splitlines() == [
        "VideoMAE, pre-trained: 28 tensors loaded",
        "  not in the file, freshly initialised: head.norm.* (2), head.mlp.* (2)",
        "  in the file, not needed: 2 tensors (norm of the pre-training: a classifier has one after the mean)",
        "  in the file, not needed: 4 tensors (decoder of the pre-training)",
    ]


def test_the_papers_file_gives_adapters_and_compares_its_block():
    model = small(block={"name": "random_frozen", "layers": 2})
    width = model.bridge.block.dim
    state = to_official(model)
    assert state["llama_dim_mapper1.weight"].shape == (width, 32)
    other = small(1, block={"name": "random_frozen", "layers": 2})
    held = {key: value for key, value in llama_layers(1, 32).items() if key.startswith("llama.")}
    with pytest.raises(CheckpointError, match="its frozen block is not the model's"):
        load_official(other, {**state, **held})
    report = load_official(other, {**state, **held}, allow=("llama",))
    assert report.layout == "VideoMAE with a frozen LLaMA block (LM4VisualEncoding)"
    assert set(report.ignored) == set(held)
    assert not [key for key in differing(model, other) if not key.startswith("bridge.block.")]
    with pytest.raises(CheckpointError, match=r"the model has no place for llama_dim_mapper1\.weight"):
        load_official(small(), {**state, **held}, allow=("llama",))


def test_a_file_of_another_size_names_the_keys():
    state = to_official(small())
    with pytest.raises(CheckpointError, match=r"encoder.dim=32, encoder.depth=2, encoder.patch=8\)"):
        load_official(create_model("videomae_small", block="identity", num_classes=5), state)
    with pytest.raises(CheckpointError, match=r"\(encoder.tubelet=2\)"):
        load_official(small(tubelet=4), state)
    with pytest.raises(CheckpointError, match="was trained with 5 outputs, the model has 7"):
        load_official(small(classes=7), state)


def test_a_file_for_images_is_none_for_clips():
    image = create_model("vit_tiny", block="identity", num_classes=5, dim=32, depth=2, heads=2, patch=8, size=32)
    with pytest.raises(CheckpointError, match="needs a ViT encoder, but the model has a VideoMAE"):
        load_official(small(), to_official(image))
    with pytest.raises(CheckpointError, match=r"ViT classifier .*the file lacks|ViT classifier .*shapes do not fit"):
        load_official(image, to_official(small()))
