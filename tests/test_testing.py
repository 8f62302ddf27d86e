"""The published assertions: they pass on what holds and, above all, fail on what does not."""

import pytest
import torch
from torch import nn

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.blocks.controls import MLPControl
from geo_lm4ve.create import create_model
from geo_lm4ve.layers.transformer import TransformerBlock
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.testing import (
    assert_block_frozen,
    assert_equal_up_to_rounding,
    assert_padding_invariant,
    assert_permutation_equivariant,
    golden_clouds,
    golden_fill,
    random_tokens,
    rounding_bound,
)


class Mixing(Block):
    """Adds the mean over the tokens: the valid ones, or wrongly all."""

    dim = 4

    def __init__(self, masked):
        super().__init__()
        self.masked = masked

    def forward(self, x, valid):
        weight = valid[..., None].to(x.dtype) if self.masked else torch.ones_like(x[..., :1])
        return x + (x * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)


class Counting(Block):
    """Adds each token's place, which permuting the tokens must reveal."""

    dim = 4

    def forward(self, x, valid):
        return x + torch.arange(x.shape[1])[:, None]


def tiny(block, **changes):
    torch.manual_seed(0)
    return create_model("point_bert_tiny", num_classes=3, block=block, num_groups=6, group_size=4, **changes).train()


def batch():
    return PointBatch(golden_clouds(32), labels=torch.zeros(2, dtype=torch.long), index=torch.arange(2))


def test_permutation():
    assert_permutation_equivariant(MLPControl(4))
    assert_permutation_equivariant(Mixing(masked=True))
    with pytest.raises(AssertionError, match="not equivariant: relative difference"):
        assert_permutation_equivariant(Counting())


def test_bounds_follow_the_coarsest_dtype_that_takes_part():
    half, single, double = torch.bfloat16, torch.float32, torch.float64
    assert rounding_bound(half) == 4 * 2**-7
    assert [rounding_bound(dtype) for dtype in (single, double)] == [256 * 2**-23, 256 * 2**-52]
    x = torch.linspace(-1, 1, 20, dtype=double)
    assert_equal_up_to_rounding(x.to(half), x)
    assert_equal_up_to_rounding(x.float(), x)
    assert_equal_up_to_rounding(1e4 + x.float() - 1e4, x, scale=1e4)
    assert_equal_up_to_rounding(x.to(half).double(), x, dtype=half)
    for found, values in (
        (1.04 * x, {"dtype": half}),
        (x.to(half).float(), {}),
        ((1 + 1e-6) * x, {}),
        ((1 + 1e-15) * x, {"roundings": 0}),
    ):
        with pytest.raises(AssertionError, match="computations differ: relative difference"):
            assert_equal_up_to_rounding(found, x, **values)


def test_what_is_not_a_number_or_an_integer_is_equal_or_not():
    assert_equal_up_to_rounding(torch.arange(3), torch.arange(3))
    assert_equal_up_to_rounding(torch.zeros(0), torch.zeros(0))
    for found, expected in (
        (torch.tensor([1, 2]), torch.tensor([1, 3])),
        (torch.zeros(2), torch.zeros(3)),
        (torch.tensor([1.0, float("nan")]), torch.ones(2)),
        (torch.ones(2), torch.tensor([1.0, float("nan")])),
        (torch.full((2,), 1e-30), torch.zeros(2)),
    ):
        with pytest.raises(AssertionError):
            assert_equal_up_to_rounding(found, expected)


def test_half_precision_widens_the_bound_of_a_block_and_a_given_tolerance_stays():
    class Halving(Block):
        """Rounds what it reads, in another way at each place."""

        dim = 4

        def __init__(self, dtype):
            super().__init__()
            self.register_buffer("weight", torch.ones(4, dtype=dtype))

        def forward(self, x, valid):
            return x * (1 + torch.arange(x.shape[1])[:, None] * 1e-3)

    assert_permutation_equivariant(Halving(torch.bfloat16))
    for block, tolerance in ((Halving(torch.float32), None), (Halving(torch.bfloat16), 1e-5)):
        with pytest.raises(AssertionError, match="not equivariant"):
            assert_permutation_equivariant(block, tolerance=tolerance)


def test_padding_of_a_block():
    assert_padding_invariant(Mixing(masked=True))
    with pytest.raises(AssertionError, match="padding reaches the valid tokens"):
        assert_padding_invariant(Mixing(masked=False))


def test_padding_of_a_stage():
    class Leaky(nn.Module):
        def forward(self, tokens):
            return tokens.replace(features=tokens.features + tokens.features.mean(1, keepdim=True))

    tokens = random_tokens(2, dim=6)
    assert_padding_invariant(TransformerBlock(6, heads=2).eval(), tokens)
    with pytest.raises(AssertionError, match="padding reaches"):
        assert_padding_invariant(Leaky(), tokens)


def test_padding_is_cut_from_positions_spans_and_context():
    class AddsContext(nn.Module):
        def forward(self, tokens):
            assert max(stop for _, stop in tokens.spans.values()) <= tokens.features.shape[1]
            return tokens.replace(features=tokens.features + tokens.context["shift"] + tokens.positions)

    tokens = random_tokens(2, dim=6)
    tokens = tokens.with_context(shift=torch.randn(2, 7, 6)).replace(positions=torch.randn(2, 7, 6))
    assert_padding_invariant(AddsContext(), tokens)


def test_width_must_be_known():
    class Anything(Block):
        def forward(self, x, valid):
            return x

    assert_permutation_equivariant(Anything(), dim=5)
    with pytest.raises(ValueError, match="pass dim="):
        assert_permutation_equivariant(Anything())


def test_frozen_block_stays_frozen():
    assert_block_frozen(tiny("random_frozen"), batch())
    assert_block_frozen(tiny("random_frozen", freeze=True), batch())


def test_trained_block_is_noticed():
    with pytest.raises(AssertionError, match="is trainable"):
        assert_block_frozen(tiny("random_trained"), batch())


def test_severed_gradient_is_noticed():
    model = tiny("random_frozen")
    model.bridge.register_forward_pre_hook(lambda _, args: (args[0].replace(features=args[0].features.detach()),))
    with pytest.raises(AssertionError, match="no gradient reaches encoder"):
        assert_block_frozen(model, batch())


def test_golden_values_depend_on_the_sorted_names_only():
    shapes = {"b.weight": (4, 6), "a.bias": (5,), "c.running_var": (3,)}
    first = golden_fill({key: torch.zeros(shape) for key, shape in shapes.items()})
    second = golden_fill({key: torch.ones(shape) for key, shape in reversed(shapes.items())})
    assert all(torch.equal(first[key], second[key]) for key in shapes)
    assert first["a.bias"].abs().max() <= 0.1
    assert first["c.running_var"].min() >= 1
    assert 0 < first["b.weight"].std() < 1


def test_golden_clouds_are_the_published_fixture():
    clouds = golden_clouds(1024)
    radii = clouds.norm(dim=-1)
    assert clouds.shape == (2, 1024, 3)
    assert radii[0].min() == pytest.approx(0.5, abs=2e-3)
    assert radii[0].max() == pytest.approx(1.0, abs=2e-3)
    assert_equal_up_to_rounding(clouds[1], 0.9 * clouds[0].flip(0))
