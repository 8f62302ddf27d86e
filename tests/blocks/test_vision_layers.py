"""Layers of vision transformers as blocks: transformers' own numbers, out of the files that its models are kept in."""

import pytest
import torch
from vision_models import inner, write_vision

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.blocks.extraction import extract
from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.testing import assert_padding_invariant, assert_permutation_equivariant

KINDS = ("vit", "deit", "dinov2", "dinov2_registers", "beit", "clip", "clip_both", "siglip")
NORMS = {"vit": "layernorm", "dinov2": "layernorm", "clip": "post_layernorm", "clip_both": "post_layernorm"}
"""Where some of them have the norm after the last layer."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder(kind):
        if kind not in made:
            made[kind] = write_vision(root / kind, kind)
        return made[kind]

    return folder


def block_of(folder, layers=(0, 1), **options):
    return FrozenBlock.from_source(f"dir:{folder}", layers, **{"final_norm": "off", **options})


@pytest.mark.parametrize("kind", KINDS)
def test_layers_compute_what_transformers_computes(kind, folders):
    model = inner(kind).double()
    stack = next(module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    x = torch.randn(2, 7, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    wanted = x
    with torch.no_grad():
        for layer in stack:
            layer.relative_position_bias = None  # BEiT's, which is of one grid of patches
            wanted = layer(wanted, attention_mask=None)
        torch.testing.assert_close(block_of(folders(kind)).double()(x), wanted, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_padding_do_not_matter(kind, folders):
    block = block_of(folders(kind), final_norm="ones").eval()
    assert_permutation_equivariant(block, 16)
    assert_padding_invariant(block, dim=16)


@pytest.mark.parametrize("kind", NORMS)
def test_the_norm_after_the_last_layer_is_the_models(kind, folders):
    x = torch.randn(2, 7, 16)
    norm = getattr(inner(kind), NORMS[kind])
    with torch.no_grad():
        loaded, plain = block_of(folders(kind), final_norm="loaded")(x), block_of(folders(kind))(x)
        torch.testing.assert_close(loaded, norm(plain), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["vit", "clip_both"])
def test_an_extracted_layer_is_the_same_block(kind, folders, tmp_path):
    extract(f"dir:{folders(kind)}", [-1], tmp_path / "last.safetensors")
    whole, small = block_of(folders(kind), [-1]), FrozenBlock.from_source(f"file:{tmp_path}/last.safetensors", 1)
    assert small.reference.sha256 == whole.reference.sha256
    assert small.state_dict() == {}
    assert small.family == {"vit": "vit", "clip_both": "clip_vision_model"}[kind]


def test_a_saved_model_keeps_a_reference_to_the_layer(folders, tmp_path):
    block = {"name": "vit_base", "source": f"dir:{folders('vit')}", "layers": [1]}
    model = create_model("vit_tiny", block=block, num_classes=3, dim=8, heads=2, depth=1, patch=8, size=16).eval()
    model.save_pretrained(tmp_path / "saved")
    x = torch.randn(2, 3, 16, 16)
    again = Model.from_pretrained(tmp_path / "saved")
    assert torch.equal(again(x), model(x))
    assert not [name for name in model.state_dict() if name.startswith("bridge.block.")]
    with pytest.raises(BlockError, match=r"but the block built now is layers \[0\]"):
        Model.from_pretrained(tmp_path / "saved", layers=[0])


def test_lora_and_training_reach_the_layer(folders):
    x = torch.randn(2, 7, 16)
    full, lora = (block_of(folders("beit"), train=kind).train() for kind in ("full", "lora"))
    assert torch.equal(full(x), full(x))  # its drop path is off
    for block, wanted in ((full, ""), (lora, "lora_")):
        block(x).square().sum().backward()
        reached = {name for name, parameter in block.named_parameters() if parameter.grad is not None}
        assert reached
        assert all(wanted in name for name in reached)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("swin", "config gives no num_hidden_layers|which only its model can give it|no decoder layer found"),
        ("convnext", "config gives no num_hidden_layers, so layers cannot be counted"),
    ],
)
def test_networks_without_plain_layers_are_refused(kind, message, folders):
    with pytest.raises(BlockError, match=message):
        block_of(folders(kind), [0])
