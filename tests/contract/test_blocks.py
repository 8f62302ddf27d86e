"""One test over every block that can be built without a download: what the bridge relies on."""

import pytest
import torch

from geo_lm4ve.options import load_option, options
from geo_lm4ve.testing import assert_equal_up_to_rounding, assert_padding_invariant, assert_permutation_equivariant

SMALL = {
    "identity": ("identity", {}),
    "mlp": ("mlp", {}),
    "random_frozen": ("random_frozen", {}),
    "random_trained": ("random_trained", {}),
    "two layers": ("random_frozen", {"layers": 2}),
    "smollm2_135m": ("smollm2_135m", {"source": "random:smollm2_135m"}),
    "bfloat16": ("smollm2_135m", {"source": "random:smollm2_135m", "dtype": "bfloat16"}),
    "loaded norm": ("smollm2_135m", {"source": "random:smollm2_135m", "final_norm": "loaded"}),
    "no norm": ("smollm2_135m", {"source": "random:smollm2_135m", "final_norm": "off"}),
    "full": ("smollm2_135m", {"source": "random:smollm2_135m", "train": "full"}),
    "lora": ("smollm2_135m", {"source": "random:smollm2_135m", "train": "lora"}),
    "gpt2": ("gpt2", {"source": "random:gpt2"}),
    "opt_125m": ("opt_125m", {"source": "random:opt_125m"}),
    "pythia_70m": ("pythia_70m", {"source": "random:pythia_70m"}),
    "gemma3_270m": ("gemma3_270m", {"source": "random:gemma3_270m"}),
    "vit_base": ("vit_base", {"source": "random:vit_base"}),
    "qwen3_0_6b": ("qwen3_0_6b", {"source": "random:qwen3_0_6b"}),
}


@pytest.fixture(scope="module", params=SMALL)
def block(request):
    torch.manual_seed(0)
    option, values = SMALL[request.param]
    return load_option("block", option, values).build().eval()


def tokens(block, b=2, n=7):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(b, n, block.dim or 12, generator=generator)
    return x, torch.ones(b, n, dtype=torch.bool)


def test_shape_and_dtype_are_kept(block):
    x, valid = tokens(block)
    y = block(x, valid)
    assert y.shape == x.shape
    assert y.dtype == x.dtype


def test_a_tensor_is_enough(block):
    x, valid = tokens(block)
    assert torch.equal(block(x), block(x, valid))


def test_order_of_tokens_does_not_matter(block):
    assert_permutation_equivariant(block, block.dim or 12)


def test_positions_left_in_are_noticed_even_in_bfloat16():
    values = {"source": "random:smollm2_135m", "dtype": "bfloat16", "rotary": True}
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_permutation_equivariant(load_option("block", "smollm2_135m", values).build().eval())


def test_padding_does_not_matter_and_comes_out_as_zero(block):
    assert_padding_invariant(block, dim=block.dim or 12)
    x, valid = tokens(block)
    valid[0, 4:], valid[1] = False, False
    y = block(x, valid)
    assert torch.equal(y[0, 4:], torch.zeros_like(y[0, 4:]))
    assert torch.equal(y[1], torch.zeros_like(y[1]))


def test_samples_do_not_see_each_other(block):
    x, valid = tokens(block)
    alone = block(x[:1], valid[:1])
    assert_equal_up_to_rounding(block(x, valid)[:1], alone)


def test_gradient_passes_through_but_not_into_what_is_frozen(block):
    x, valid = tokens(block)
    x.requires_grad_()
    block(x, valid).square().mean().backward()
    assert x.grad.abs().sum() > 0
    for name, parameter in block.named_parameters():
        assert (parameter.grad is None) == (not parameter.requires_grad), name
    block.zero_grad()


def test_state_holds_exactly_what_is_trained(block):
    trained = {name for name, parameter in block.named_parameters() if parameter.requires_grad}
    assert set(block.state_dict()) == trained
    block.load_state_dict(block.state_dict())


def test_every_shipped_block_names_a_known_architecture():
    from geo_lm4ve.blocks.architectures import ARCHITECTURES

    controls = {"identity", "mlp", "random_frozen", "random_trained", "permuted"}
    for name in set(options("block")) - controls:
        assert name.removesuffix("_hub") in ARCHITECTURES, name
