"""A linear layer and its batch norm: plain in training, folded in eval mode, the same function."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from geo_lm4ve.layers.folded_norm import NormedLinear, folded, normed
from geo_lm4ve.testing import assert_equal_up_to_rounding


def drawn(norm):
    torch.manual_seed(0)
    for value in (norm.running_mean, norm.weight.data, norm.bias.data):
        nn.init.normal_(value)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    return norm


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_the_norm_follows_the_layer(bias, training):
    linear, norm = nn.Linear(5, 4, bias=bias).double(), drawn(nn.BatchNorm1d(4)).double().train(training)
    x = torch.randn(3, 7, 2, 5, dtype=torch.float64)
    plain = F.batch_norm(
        linear(x).flatten(0, -2), norm.running_mean.clone(), norm.running_var.clone(), norm.weight, norm.bias, training
    ).view(3, 7, 2, 4)
    weight, shift = folded(linear, norm)
    assert_equal_up_to_rounding(normed(F.linear(x, weight, shift), norm), plain)
    assert_equal_up_to_rounding(normed(F.linear(x, weight, shift), norm, relu=True), plain.relu())


@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_those_of_the_plain_form(training):
    layer = NormedLinear(5, 4).double().train(training)
    drawn(layer.norm)
    x = torch.randn(9, 3, 5, dtype=torch.float64)
    found = torch.autograd.grad(layer(x, relu=True).square().sum(), list(layer.parameters()))
    plain = layer.norm(layer.linear(x).flatten(0, -2)).relu()
    for value, expected in zip(found, torch.autograd.grad(plain.square().sum(), list(layer.parameters()))):
        assert_equal_up_to_rounding(value, expected)
