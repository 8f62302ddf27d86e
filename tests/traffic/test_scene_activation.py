import numpy as np
import pytest
import torch
from scene_examples import example

from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.traffic.viz.activation import with_activation

NAN = float("nan")


def _tokens(spans, count, **context):
    return TokenSet(torch.zeros(2, count, 4), torch.ones(2, count, dtype=torch.bool), spans, context=context)


def test_agents_and_lanes():
    values = torch.tensor([[0.0] * 8, [0.1, NAN, 0.3, NAN, 0.5, 0.6, NAN, NAN]])
    shown = with_activation(example(), _tokens({"agents": (0, 4), "lanes": (4, 8)}, 8), values, 1)
    np.testing.assert_allclose(shown.agent_activation, [0.1, NAN, 0.3], rtol=1e-6)
    np.testing.assert_allclose(shown.lane_activation, [0.5, 0.6], rtol=1e-6)


def test_of_several_proposals_the_strongest_counts():
    values = torch.tensor([[0.1, 0.2, NAN, NAN, 0.4, 0.3, NAN, NAN]]).expand(2, -1)
    tokens = _tokens({"proposals": (0, 8)}, 8, agent_rows=torch.zeros(2, 4, dtype=torch.int64))
    shown = with_activation(example(), tokens, values, 0)
    np.testing.assert_allclose(shown.agent_activation, [0.2, NAN, 0.4], rtol=1e-6)
    assert shown.lane_activation is None


def test_other_tokens_are_refused():
    with pytest.raises(ValueError, match="cls"):
        with_activation(example(), _tokens({"cls": (0, 1)}, 1), torch.zeros(2, 1), 0)
