"""ViTs of transformers in our own ViT."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from geo_lm4ve.model import Model, ModelConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.pretrained import load_official
from geo_lm4ve.saved import CheckpointError

SIZES = {"hidden_size": 24, "intermediate_size": 36, "num_hidden_layers": 2, "num_attention_heads": 2}
OURS = {"dim": 24, "depth": 2, "heads": 2, "mlp_ratio": 1.5, "patch": 8, "size": 32}


@pytest.fixture(scope="module")
def theirs():
    """A classifier of transformers none of whose weights is zero or one."""
    import transformers as hf

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = hf.ViTConfig(**SIZES, image_size=32, patch_size=8, num_labels=5)
        model = hf.ViTForImageClassification(config).eval().requires_grad_(False)
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def ours(epsilon=1e-12, outputs=5, **changes) -> Model:
    return ModelConfig(
        load_option("encoder", "vit_tiny", {**OURS, "epsilon": epsilon, **changes}),
        load_option("block", "identity"),
        load_option("bridge", "linear"),
        load_option("head", "vit", {"norm_epsilon": epsilon}),
        outputs,
    ).build().eval()  # fmt: skip


def images():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("dtype", "epsilon", "bound"),
    [(torch.float64, 1e-12, 1e-10), (torch.float32, 1e-12, 1e-4), (torch.float32, 1e-6, 1e-4)],
)
def test_scores_are_those_of_transformers(dtype, epsilon, bound, theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    model = ours(epsilon)
    report = load_official(model, tmp_path / "model.safetensors")
    assert report.missing == report.unexpected == ()
    assert report.layout.startswith("ViTForImageClassification of transformers (made with norms of epsilon 1e-12")
    with torch.no_grad():
        found, wanted = model.to(dtype)(images().to(dtype)), theirs.double()(images()).logits
        theirs.float()
    torch.testing.assert_close(found.double(), wanted, atol=bound, rtol=0)


def test_names_of_modules_and_of_files_are_one(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    file, modules = ours(), ours()
    load_official(file, load_file(tmp_path / "model.safetensors"))
    load_official(modules, theirs.state_dict())
    assert load_file(tmp_path / "model.safetensors").keys() != theirs.state_dict().keys()
    assert all(torch.equal(value, modules.state_dict()[name]) for name, value in file.state_dict().items())


def test_a_model_without_a_classifier_leaves_ours_as_it_was(tmp_path):
    import transformers as hf

    model = hf.ViTModel(hf.ViTConfig(**SIZES, image_size=32, patch_size=8))
    model.save_pretrained(tmp_path)
    report = load_official(ours(), tmp_path / "model.safetensors")
    assert report.missing == ("head.mlp.0.weight", "head.mlp.0.bias")
    assert set(report.ignored) == {"pooler.dense.weight", "pooler.dense.bias"}


def test_files_that_do_not_fit_are_told_apart(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    with pytest.raises(CheckpointError, match=r"dim 24 \(the model: 192\), depth 2 \(the model: 12\), patch 8"):
        load_official(ours(dim=192, depth=12, patch=16, size=224, mlp_ratio=4.0), path)
    with pytest.raises(CheckpointError, match="was trained with 5 outputs, the model has 7"):
        load_official(ours(outputs=7), path)
    tensors = load_file(path)
    del tensors["vit.encoder.layer.1.attention.attention.key.bias"]
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"lacks encoder.stages.block_1.attention.qkv.bias and the model has"):
        load_official(ours(), path)
