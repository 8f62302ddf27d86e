"""Which tokens see which, and how that changes the result."""

import pytest
import torch
from tiny_models import MODELS, random_weights, tokens

from geo_lm4ve.blocks.frozen import FrozenBlock
from geo_lm4ve.blocks.policy import AttentionPolicy, places
from geo_lm4ve.testing import assert_equal_up_to_rounding

VALID = torch.tensor([[True, False, True, True], [False, False, False, False]])


def test_places_skip_padding() -> None:
    assert places(VALID).tolist() == [[0, 0, 1, 2], [0, 0, 0, 0]]


def test_padding_is_the_only_mask_of_the_paper() -> None:
    assert AttentionPolicy().visible(VALID).tolist() == [[[[True, False, True, True]]], [[[True] * 4]]]


def test_causal_mask_and_window() -> None:
    seen = AttentionPolicy(causal=True).visible(VALID)[0, 0]
    assert seen[[0, 2, 3]].tolist() == [
        [True, False, False, False],
        [True, False, True, False],
        [True, False, True, True],
    ]
    windowed = AttentionPolicy(causal=True).visible(VALID, window=2)[0, 0]
    assert windowed[3].tolist() == [False, False, True, True]
    assert (
        AttentionPolicy().visible(VALID, window=1).all(-1).tolist() == AttentionPolicy().visible(VALID).all(-1).tolist()
    )


def test_no_query_sees_nothing() -> None:
    for policy in (AttentionPolicy(), AttentionPolicy(causal=True)):
        assert policy.visible(VALID).any(-1).all()


@pytest.mark.parametrize("implementation", ["gated", "hf"])
def test_rotary_turns_with_the_distance_only(implementation: str) -> None:
    """Padding before the tokens shifts all positions and must not matter; swapping tokens must."""
    block = FrozenBlock(random_weights("llama"), rotary=True, implementation=implementation)
    x, _ = tokens(64)
    valid = torch.ones(3, 9, dtype=torch.bool)
    out = block(x, valid)
    shifted, moved = torch.cat([torch.zeros(3, 2, 64), x], 1), torch.nn.functional.pad(valid, (2, 0))
    assert_equal_up_to_rounding(block(shifted, moved)[:, 2:], out)
    assert (block(x.flip(1), valid).flip(1) - out).abs().max() > 1e-2


def test_rotary_identity_equals_no_rotary_for_one_token() -> None:
    x = tokens(64)[0][:, :1]
    valid = torch.ones(3, 1, dtype=torch.bool)
    for family in [family for family, model in MODELS.items() if model.rotary]:
        weights = random_weights(family)
        assert_equal_up_to_rounding(FrozenBlock(weights, rotary=True)(x, valid), FrozenBlock(weights)(x, valid))


def test_policy_says_what_it_is() -> None:
    assert str(AttentionPolicy()) == "padding-only mask, no rotary"
    assert str(AttentionPolicy(True, True)) == "causal mask, rotary"
