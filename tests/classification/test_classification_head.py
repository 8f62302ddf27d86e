"""The classification head."""

import pytest
import torch

from geo_lm4ve.calls import InputError
from geo_lm4ve.classification.head import ClassificationConfig, HiddenNorm, Pooling
from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding, random_tokens


def test_reads_class_token_and_maximum_over_the_groups():
    head = ClassificationConfig().build(dim=8, outputs=5).eval()
    tokens = random_tokens(3, dim=8)
    normed = torch.nn.functional.layer_norm(tokens.features, (8,), eps=1e-5)
    assert_equal_up_to_rounding(head.pool(tokens), torch.cat([normed[:, 0], normed[:, 1:].amax(1)], dim=-1))
    assert head(tokens).shape == (3, 5)
    assert (head.reads, head.norm_first) == (("cls", "groups"), True)


def test_tokens_outside_the_spans_it_reads_are_dead():
    head = ClassificationConfig().build(dim=8, outputs=5).eval()
    tokens = random_tokens(2, {"other": 3, "cls": 1, "groups": 4}, dim=8)
    changed = tokens.features.clone()
    changed[:, :3] = 7.0
    assert torch.equal(head(tokens), head(tokens.replace(features=changed)))


def test_order_and_padding_of_groups_are_irrelevant():
    head = ClassificationConfig().build(dim=8, outputs=5).eval()
    tokens = random_tokens(2, dim=8)
    order = torch.tensor([0, 3, 1, 2, 6, 5, 4])
    assert_equal_up_to_rounding(head(tokens.replace(features=tokens.features[:, order])), head(tokens))
    valid = tokens.valid.clone()
    valid[:, 5:] = False
    shorter = random_tokens(2, {"cls": 1, "groups": 4}, dim=8).replace(features=tokens.features[:, :5])
    assert_equal_up_to_rounding(head(tokens.replace(valid=valid)), head(shorter))


def test_a_span_may_be_pooled_twice():
    values = {"reads": ["groups", "groups"], "pooling": ["mean", "max"], "hidden": []}
    head = make("head", "classification", values).build(dim=8, outputs=5)
    tokens = random_tokens(2, dim=8)
    assert head.pool(tokens).shape == (2, 16)
    assert head.reads == ("groups",)
    assert [type(layer).__name__ for layer in head.mlp] == ["Linear"]


def test_point_mae_option_has_two_hidden_layers_with_batch_norm():
    config = load_option("head", "point_mae")
    assert (config.norm, config.hidden, config.pooling) == (HiddenNorm.batch, [256, 256], [Pooling.first, Pooling.max])
    names = [type(layer).__name__ for layer in config.build(384, 40).mlp]
    assert names == 2 * ["Linear", "BatchNorm1d", "ReLU", "Dropout"] + ["Linear"]


def test_pointnext_option_has_neither_layer_norm_nor_biases_of_hidden_layers():
    head = load_option("head", "pointnext").build(512, 40).eval()
    assert sum(parameter.numel() for parameter in head.parameters()) == 1_373_512 - 968_480
    assert [layer.bias is None for layer in head.mlp if isinstance(layer, torch.nn.Linear)] == [True, True, False]
    tokens = random_tokens(2, {"points": 1}, dim=512)
    assert torch.equal(head.pool(tokens), tokens.features[:, 0])
    assert (head.reads, head.norm_first) == (("points",), False)


def test_the_norm_may_come_after_the_pooling():
    values = {"reads": ["groups", "cls"], "pooling": ["mean", "first"], "hidden": [], "norm_pooled": True}
    head = make("head", "classification", values).build(dim=8, outputs=5)
    tokens = random_tokens(3, dim=8)
    pooled = torch.cat([tokens.features[:, 1:].mean(1), tokens.features[:, 0]], dim=-1)
    assert_equal_up_to_rounding(head.pool(tokens), torch.nn.functional.layer_norm(pooled, (16,), eps=1e-5))
    assert torch.equal(head.normed(tokens).features, tokens.features)
    assert not head.norm_first


def test_the_last_layer_may_begin_near_zero():
    head = make("head", "classification", {"init_scale": 0.001}).build(dim=512, outputs=400).requires_grad_(False)
    assert float(head.mlp[-1].weight.std()) == pytest.approx(2e-5, rel=0.05)
    assert not head.mlp[-1].bias.any()
    assert float(head.mlp[0].weight.std()) > 0.01


def test_missing_span_is_named():
    head = ClassificationConfig().build(dim=8, outputs=5)
    with pytest.raises(InputError, match=r"reads the spans cls, groups; the tokens have .*: no cls"):
        head(random_tokens(2, {"groups": 4}, dim=8))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reads": ["cls"]}, "one pooling per span"),
        ({"reads": [], "pooling": []}, "one pooling per span"),
        ({"hidden": [0]}, "head.hidden"),
        ({"dropout": 1.0}, "head.dropout"),
        ({"layer_norm": False, "norm_pooled": True}, r"head.norm_pooled=true .* head.layer_norm=false"),
        ({"init_scale": 0.0}, "head.init_scale must be above 0, or null"),
        ({"pooling": ["first", "median"]}, "pooling"),
    ],
)
def test_impossible_configs_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        make("head", "classification", values)


def test_no_classes_are_refused():
    with pytest.raises(ConfigError, match="not 8 and 0"):
        ClassificationConfig().build(dim=8, outputs=0)
