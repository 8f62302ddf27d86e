"""VideoMAEs of transformers in our own VideoMAE."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from geo_lm4ve.model import Model, ModelConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.pretrained import load_official
from geo_lm4ve.saved import CheckpointError

SIZES = {"hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 2}
CLIPS = {"image_size": 32, "patch_size": 8, "num_frames": 4, "num_labels": 5}
OURS = {"dim": 24, "depth": 2, "heads": 2, "mlp_ratio": 1.5, "patch": 8, "size": 32, "frames": 4}
PUBLISHED = "encoder.heads: 6 for published small ones, whose config.json says 16"
DECODER = {
    "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 16,
}  # fmt: skip


def stirred(kind, **changes):
    """A model of transformers none of whose weights is zero or one."""
    import transformers as hf

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(hf, kind)(hf.VideoMAEConfig(**SIZES, **CLIPS, **changes)).eval().requires_grad_(False)
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


@pytest.fixture(scope="module")
def theirs():
    return stirred("VideoMAEForVideoClassification")


def ours(epsilon=1e-12, norm_epsilon=1e-5, outputs=5, **changes) -> Model:
    return ModelConfig(
        load_option("encoder", "videomae_small", {**OURS, "epsilon": epsilon, **changes}),
        load_option("block", "identity"),
        load_option("bridge", "linear"),
        load_option("head", "videomae", {"norm_epsilon": norm_epsilon}),
        outputs,
    ).build().eval()  # fmt: skip


def clips():
    return torch.randn(2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("dtype", "epsilons", "bound"),
    [(torch.float64, (1e-12, 1e-5), 1e-10), (torch.float32, (1e-12, 1e-5), 1e-4), (torch.float32, (1e-6, 1e-6), 1e-3)],
)
def test_scores_are_those_of_transformers(dtype, epsilons, bound, theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    model = ours(*epsilons)
    report = load_official(model, tmp_path / "model.safetensors")
    assert report.missing == report.unexpected == ()
    assert report.layout == f"VideoMAEForVideoClassification of transformers ({PUBLISHED})"
    with torch.no_grad():
        found, wanted = model.to(dtype)(clips().to(dtype)), theirs.double()(clips().transpose(1, 2)).logits
        theirs.float()
    torch.testing.assert_close(found.double(), wanted, atol=bound, rtol=0)


def test_names_of_modules_and_of_files_are_one(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    file, modules = ours(), ours()
    load_official(file, load_file(tmp_path / "model.safetensors"))
    load_official(modules, theirs.state_dict())
    assert load_file(tmp_path / "model.safetensors").keys() != theirs.state_dict().keys()
    assert all(torch.equal(value, modules.state_dict()[name]) for name, value in file.state_dict().items())


def test_the_number_of_heads_changes_the_scores(theirs):
    two, four = ours(), ours(heads=4)
    with torch.no_grad():
        for model in (two, four):
            load_official(model, theirs.state_dict())
        assert not torch.allclose(two(clips().float()), four(clips().float()), atol=1e-2)


@pytest.mark.parametrize(
    ("kind", "changes", "ignored"),
    [
        ("VideoMAEModel", {}, set()),
        ("VideoMAEModel", {"use_mean_pooling": False}, {"layernorm"}),
        ("VideoMAEForPreTraining", DECODER, {"decoder", "encoder_to_decoder", "mask_token"}),
        (
            "VideoMAEForPreTraining",
            {**DECODER, "use_mean_pooling": False},
            {"videomae", "decoder", "encoder_to_decoder", "mask_token"},
        ),
    ],
)
def test_a_model_without_a_classifier_gives_the_encoder(kind, changes, ignored, tmp_path):
    model, ours_then = stirred(kind, **changes), ours()
    model.save_pretrained(tmp_path)
    report = load_official(ours_then, tmp_path / "model.safetensors")
    assert report.layout.startswith(f"{kind} of transformers")
    assert report.missing == ("head.norm.weight", "head.norm.bias", "head.mlp.0.weight", "head.mlp.0.bias")
    assert {key.partition(".")[0] for key in report.ignored} == ignored
    base = getattr(model, "videomae", model)
    base.layernorm = None
    with torch.no_grad():
        wanted = base(clips().float().transpose(1, 2)).last_hidden_state
        torch.testing.assert_close(ours_then.encoder(clips().float()).features, wanted, atol=1e-4, rtol=0)


def test_files_that_do_not_fit_are_told_apart(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    with pytest.raises(CheckpointError, match=r"dim 24 \(the model: 384\), depth 2 \(the model: 12\), patch 8"):
        load_official(ours(dim=384, depth=12, heads=6, patch=16, size=224, mlp_ratio=4.0), path)
    with pytest.raises(CheckpointError, match="was trained with 5 outputs, the model has 7"):
        load_official(ours(outputs=7), path)
    tensors = load_file(path)
    del tensors["videomae.encoder.layer.1.attention.attention.key.weight"]
    save_file(tensors, path)
    with pytest.raises(
        CheckpointError, match=r"lacks encoder.stages.block_1.attention.qkv.weight and the model has no p"
    ):
        load_official(ours(), path)
