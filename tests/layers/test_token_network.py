"""Whatever a network gives as a sequence of tokens."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from geo_lm4ve.files import UserError
from geo_lm4ve.layers.token_network import TokenNetwork, TokenSequence

TOKENS, MAP = torch.randn(2, 6, 4), torch.randn(2, 4, 2, 3)


@pytest.mark.parametrize("output", [TOKENS, (TOKENS, 1), SimpleNamespace(last_hidden_state=TOKENS)], ids=type)
def test_a_sequence_stays_as_it_is(output):
    assert torch.equal(TokenSequence.of(output).features, TOKENS)
    assert TokenSequence.of(output).grid == ()


def test_a_map_is_read_row_by_row():
    made = TokenSequence.of({"last_hidden_state": MAP})
    assert made.grid == (2, 3)
    assert torch.equal(made.features[:, 4], MAP[:, :, 1, 1])


@pytest.mark.parametrize("output", [torch.randn(2, 4), None, ()], ids=["one vector", "nothing", "empty"])
def test_anything_else_is_refused(output):
    with pytest.raises(ValueError, match=r"neither a sequence \(B, N, D\) nor a map \(B, D, H, W\)"):
        TokenSequence.of(output)


class Spare(nn.Module):
    """A network with a layer that makes no token."""

    def __init__(self):
        super().__init__()
        self.used, self.spare = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.used(x)


@pytest.mark.parametrize("trained", [True, False])
def test_only_what_makes_tokens_is_trained(trained):
    network = TokenNetwork(Spare(), trained=trained, lora=None, reference=None, error=UserError)
    network.try_out(TOKENS)
    assert {name for name, p in network.named_parameters() if p.requires_grad} == (
        {"network.used.weight", "network.used.bias"} if trained else set()
    )
    assert network.train().training == trained
    with pytest.raises(ValueError, match="it makes tokens that are not finite"):
        network.try_out(TOKENS * torch.inf)
