"""The decoder of masked point modelling: as published, and what it may and may not know."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from geo_lm4ve import create_model
from geo_lm4ve.config import ConfigError
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.reconstruct.task import Reconstruct, ReconstructConfig
from geo_lm4ve.pretrained import to_official
from geo_lm4ve.testing import assert_equal_up_to_rounding

SIZES = {"dim": 24, "depth": 2, "heads": 6, "num_groups": 10, "group_size": 4, "encoder_dim": 24}


def model(outputs=5):
    torch.manual_seed(0)
    return create_model("point_mae_masked", num_classes=outputs, **SIZES)


def batch(size=2):
    return PointBatch.random(size, 64)


def linear(state, name, x):
    return F.linear(x, state[f"{name}.weight"].squeeze(-1), state.get(f"{name}.bias"))


def norm(state, name, x):
    return F.layer_norm(x, (x.shape[-1],), state[f"{name}.weight"], state[f"{name}.bias"])


def position(state, name, centers):
    return linear(state, f"{name}.2", F.gelu(linear(state, f"{name}.0", centers)))


def block(state, name, x, heads=6):
    b, n, d = x.shape
    q, k, v = (
        linear(state, f"{name}.attn.qkv", norm(state, f"{name}.norm1", x)).view(b, n, 3, heads, d // heads).unbind(2)
    )
    weights = (torch.einsum("bnhc,bmhc->bhnm", q, k) * (d // heads) ** -0.5).softmax(-1)
    x = x + linear(state, f"{name}.attn.proj", torch.einsum("bhnm,bmhc->bnhc", weights, v).reshape(b, n, d))
    hidden = F.gelu(linear(state, f"{name}.mlp.fc1", norm(state, f"{name}.norm2", x)))
    return x + linear(state, f"{name}.mlp.fc2", hidden)


def published(state, tokens, visible, hidden):
    """The network that arXiv 2203.06604 describes, in the names of its checkpoints: visible tokens -> hidden points."""
    for i in range(2):
        tokens = block(
            state, f"MAE_encoder.blocks.blocks.{i}", tokens + position(state, "MAE_encoder.pos_embed", visible)
        )
    tokens = norm(state, "MAE_encoder.norm", tokens)
    mask = state["mask_token"].expand(len(tokens), hidden.shape[1], -1)
    places = position(state, "decoder_pos_embed", torch.cat([visible, hidden], dim=1))
    x = torch.cat([tokens, mask], dim=1)
    for i in range(4):
        x = block(state, f"MAE_decoder.blocks.{i}", x + places)
    x = norm(state, "MAE_decoder.norm", x[:, -hidden.shape[1] :])
    return linear(state, "increase_dim.0", x).reshape(len(x), hidden.shape[1], -1, 3)


def test_it_computes_what_the_paper_describes():
    whole = model().double().eval()
    given = batch()
    with torch.no_grad():
        embedded = whole.encoder.stages["embed"](given)
        found = whole(given)
        state = {key: value.double() for key, value in to_official(whole).items()}
        expected = published(state, embedded.features, embedded.positions, embedded.context["hidden_centers"])
    assert found.predicted.shape == (2, 6, 5, 3)
    assert_equal_up_to_rounding(found.predicted, expected)


def test_the_published_sizes():
    published_model = create_model("point_mae_masked")
    parts = [sum(p.numel() for p in part.parameters()) for part in (published_model.encoder, published_model.head)]
    # mini-PointNet 494,464, position embedding 50,048, 12 blocks of 1,773,312 | two norms, token, position embedding,
    # 4 blocks, 384 -> 96
    assert parts == [
        494_464 + 50_048 + 12 * 1_773_312,
        2 * 768 + 384 + 50_048 + 4 * 1_773_312 + 384 * 96 + 96,
    ]


def test_places_of_hidden_groups_are_seen_and_their_points_are_not():
    whole = model().eval()
    with torch.no_grad():
        tokens = whole.tokens(batch())
        found = whole.head(tokens).predicted
        other = tokens.with_context(hidden_groups=torch.zeros_like(tokens.context["hidden_groups"]))
        moved = tokens.with_context(hidden_centers=tokens.context["hidden_centers"] + 0.1)
        assert torch.equal(whole.head(other).predicted, found)
        assert not torch.equal(whole.head(moved).predicted, found)


def test_hidden_groups_may_come_in_any_order():
    whole = model().eval()
    turned = torch.tensor([3, 0, 5, 1, 4, 2])
    with torch.no_grad():
        tokens = whole.tokens(batch())
        other = tokens.with_context(hidden_centers=tokens.context["hidden_centers"][:, turned])
        assert_equal_up_to_rounding(whole.head(other).predicted, whole.head(tokens).predicted[:, turned])


def test_gradient_of_the_loss_reaches_every_parameter():
    whole = model().train()
    Reconstruct(ReconstructConfig(), {}).loss(whole(batch(4)), batch(4)).total.backward()
    for name, parameter in whole.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0 or name.endswith(("qkv.bias", "lift.bias", "joint.bias")), name


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 0}, r"head\.depth must be at least 1"),
        ({"drop_path": 1.0}, r"head\.drop_path must be in \[0, 1\)"),
    ],
)
def test_sizes_that_cannot_be_meant(values, message):
    with pytest.raises(ConfigError, match=message):
        load_option("head", "mask_decoder", values)


def test_heads_must_divide_the_width():
    with pytest.raises(ConfigError, match=r"head\.heads=5 must divide the width 24"):
        load_option("head", "mask_decoder", {"heads": 5}).build(24, 4)


def test_only_a_masking_encoder_goes_with_it():
    with pytest.raises(ConfigError, match=r"the encoder makes cls, groups.*not hidden_centers.*point_mae_masked"):
        create_model("point_bert_tiny", head="mask_decoder")
