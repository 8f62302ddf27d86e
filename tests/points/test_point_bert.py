"""Point-BERT against the published numbers, and the properties that hold at every size."""

import copy

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.bridge import Bridge, LinearBridgeConfig
from geo_lm4ve.classification.head import ClassificationConfig
from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option, options
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.encoders.point_bert import PointBertConfig
from geo_lm4ve.testing import assert_equal_up_to_rounding, assert_padding_invariant, golden_clouds, random_tokens

POINT_BERT_OPTIONS = [name for name in options("encoder") if name.startswith(("point_bert", "point_mae"))]


def batch_of(points):
    count = torch.arange(len(points))
    return PointBatch(points, labels=count, index=count)


def clouds(size, points, seed=0):
    cloud = torch.randn(size, points, 3, generator=torch.Generator().manual_seed(seed))
    return cloud / cloud.norm(dim=-1).amax(1)[:, None, None]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    return create_model("point_bert_tiny", num_classes=7).eval()


@pytest.fixture(scope="module")
def published():
    torch.manual_seed(0)
    return create_model("point_bert", num_classes=40).eval()


def test_published_parameter_counts(published):
    assert count(published) == 22_065_960
    assert len(published.state_dict()) == 164
    assert count(published.encoder.stages["block_0"]) == 1_773_312
    assert count(published.encoder.stages["embed"].pointnet) == 428_800
    assert count(published) - count(published.head) + count(ClassificationConfig().build(384, 15)) == 22_059_535


@pytest.mark.parametrize(("classes", "parameters"), [(40, 22_099_752), (15, 22_093_327)])
def test_point_mae_parameter_counts(classes, parameters):
    with torch.device("meta"):
        assert count(create_model("point_mae", num_classes=classes)) == parameters


@pytest.mark.parametrize(("points", "groups"), [(1024, 64), (2048, 128)])
def test_published_shapes(published, monkeypatch, points, groups):
    embed = published.encoder.stages["embed"]
    monkeypatch.setattr(embed, "num_groups", groups)
    with torch.no_grad():
        neighbourhoods, centers = embed.group(golden_clouds(points))
        group_features = embed.pointnet(neighbourhoods)
        tokens = published.tokens(batch_of(golden_clouds(points)))
        pooled = published.head.pool(tokens)
    assert neighbourhoods.shape == (2, groups, 32, 3)
    assert centers.shape == (2, groups, 3)
    assert group_features.shape == (2, groups, 256)
    assert tokens.features.shape == (2, 1 + groups, 384)
    assert pooled.shape == (2, 768)
    assert published.head(tokens).shape == (2, 40)
    assert dict(tokens.spans) == {"cls": (0, 1), "groups": (1, 1 + groups)}
    assert torch.equal(tokens.positions[:, 1:], centers)
    assert torch.equal(tokens.positions[:, 0], torch.zeros(2, 3))


@pytest.mark.parametrize("option", ["point_bert_2k", "point_bert_4k", "point_bert_8k"])
def test_weights_do_not_depend_on_the_number_of_groups(published, option):
    with torch.device("meta"):
        model = create_model(option, num_classes=40)
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        k: v.shape for k, v in published.state_dict().items()
    }


@pytest.mark.parametrize(("groups", "published_gmac"), [(64, 2.302), (128, 4.658)])
def test_published_cost(published, monkeypatch, groups, published_gmac):
    monkeypatch.setattr(published.encoder.stages["embed"], "num_groups", groups)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        published(batch_of(golden_clouds(2048)[:1]))
    counted = sum(
        flops for operator, flops in counter.get_flop_counts()["Global"].items() if "sdp" not in str(operator)
    )
    attention = 2 * 12 * (1 + groups) ** 2 * 384  # of 12 blocks; not every kernel of it is counted by the counter
    spared = 256 * 512 * groups * (32 - 1)  # products of the group feature, published form minus split form
    assert (counted / 2 + attention + spared) / 1e9 == pytest.approx(published_gmac, rel=0.01)


def test_drop_path_rises_linearly_from_none(published):
    blocks = list(published.encoder.stages.values())[1:]
    assert isinstance(blocks[0].drop_path, torch.nn.Identity)
    assert [block.drop_path.rate for block in blocks[1:]] == pytest.approx([0.1 * i / 11 for i in range(1, 12)])


def test_trainable_parameters_with_the_papers_adapters(published):
    class WideBlock(Block):
        dim = 4096

    bridge = LinearBridgeConfig().build(WideBlock(), published.encoder.dims["block_11"])
    assert count(bridge) == 3_145_728
    assert count(published) + count(bridge) == 25_211_688


def test_groups_hold_their_center_and_sit_round_it():
    groups, _ = create_model("point_bert_tiny").encoder.stages["embed"].group(clouds(2, 128))
    distance = groups.norm(dim=-1)
    assert torch.equal((distance == 0).sum(-1), torch.ones(2, 32, dtype=torch.long))


def test_skip_near_origin_keeps_centers_away_from_the_origin():
    cloud = 0.5 * clouds(1, 64) / clouds(1, 64).norm(dim=-1, keepdim=True)
    cloud[:, 40] = 0.001
    config = {"num_groups": 60, "group_size": 4}
    near = [
        create_model("point_bert_tiny", skip_near_origin=skip, **config).encoder.stages["embed"].group(cloud)[1]
        for skip in (0.0, 1e-3)
    ]
    assert [bool((centers.norm(dim=-1) < 0.1).any()) for centers in near] == [True, False]


def test_position_embedding_is_added_before_every_block(tiny):
    batch = batch_of(clouds(2, 64))
    with torch.no_grad():
        tokens = tiny.encoder.stages["embed"](batch)
        position = tokens.context["position_embedding"]
        block = tiny.encoder.stages["block_0"]
        plain = tokens.replace(features=tokens.features + position)
        expected = super(type(block), block).forward(plain).features
        moved = tokens.with_context(position_embedding=position + 1)
        assert torch.equal(block(tokens).features, expected)
        assert not torch.allclose(block(moved).features, expected, atol=1e-3)
    embed = tiny.encoder.stages["embed"]
    assert torch.equal(position[:, :1], embed.cls_position.expand(2, -1, -1))


@pytest.mark.parametrize("points", [64, 256])
def test_order_of_points_is_irrelevant_once_the_first_is_kept(tiny, points):
    cloud = clouds(3, points)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(points - 1)])
    with torch.no_grad():
        assert_equal_up_to_rounding(tiny(batch_of(cloud[:, order])), tiny(batch_of(cloud)))


def test_batch_equals_loop(tiny):
    cloud = clouds(4, 128)
    with torch.no_grad():
        together = tiny(batch_of(cloud))
        alone = torch.cat([tiny(batch_of(cloud[i : i + 1])) for i in range(4)])
    assert_equal_up_to_rounding(together, alone)


def test_eval_is_deterministic_and_training_is_not(tiny):
    batch = batch_of(clouds(4, 64))
    with torch.no_grad():
        assert torch.equal(tiny(batch), tiny(batch))
        model = create_model("point_bert_tiny", num_classes=7).train()
        assert not torch.allclose(model(batch), model(batch), atol=1e-3)


def test_every_parameter_gets_a_gradient():
    model = create_model("point_bert_tiny", num_classes=7, drop_path=0.0).train()
    model(batch_of(clouds(4, 64))).square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_padding_is_irrelevant(tiny):
    with torch.no_grad():
        tokens = tiny.encoder.stages["embed"](batch_of(clouds(2, 64)))
    for name in ("block_0", "block_1"):
        assert_padding_invariant(tiny.encoder.stages[name], tokens, padding=5)


def test_double_precision_agrees_with_single(tiny):
    batch = batch_of(clouds(2, 128))
    with torch.no_grad():
        double = copy.deepcopy(tiny).double()(batch)
        assert double.dtype == torch.float64
        assert_equal_up_to_rounding(tiny(batch), double)


def test_low_precision_does_not_touch_the_grouping(tiny):
    batch = batch_of(clouds(2, 256))
    embed = tiny.encoder.stages["embed"]
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        centers = embed.group(batch.points)[1]
        logits = tiny(batch)
    assert torch.equal(centers, embed.group(batch.points)[1])
    assert_equal_up_to_rounding(logits, tiny(batch), dtype=torch.bfloat16)


@pytest.mark.parametrize("after", ["embed", "block_0", "block_1"])
def test_bridge_can_stand_after_any_stage(tiny, after):
    class Doubling(Block):
        def forward(self, x, valid):
            return 2 * x

    batch = batch_of(clouds(2, 64))
    model = Model(tiny.encoder, Bridge(Doubling()), tiny.head, after)
    with torch.no_grad():
        tokens = batch
        for name, stage in tiny.encoder.stages.items():
            tokens = stage(tokens)
            if name == after:
                tokens = tokens.replace(features=2 * tokens.features)
        assert torch.equal(model.tokens(batch).features, tokens.features)
        assert not torch.equal(model.tokens(batch).features, tiny.tokens(batch).features)


@pytest.mark.parametrize("option", POINT_BERT_OPTIONS)
def test_options_build(option):
    config = load_option("encoder", option)
    assert isinstance(config, PointBertConfig)
    assert list(config.build().stages) == ["embed", *(f"block_{i}" for i in range(config.depth))]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 0}, "encoder.depth must be at least 1, not 0"),
        ({"dim": 100, "heads": 6}, "encoder.dim 100 must be a multiple of encoder.heads 6"),
        ({"drop_path": 1.0}, "encoder.drop_path"),
        ({"group_size": -1}, "encoder.group_size"),
        ({"mlp_ratio": 0.0}, "encoder.mlp_ratio"),
        ({"skip_near_origin": -1.0}, "encoder.skip_near_origin"),
        ({"depth": "deep"}, "depth"),
        ({"width": 3}, "unknown key 'width'"),
    ],
)
def test_impossible_configs_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        make("encoder", "point_bert", values)


def test_too_few_points_name_the_keys_to_change(tiny):
    with pytest.raises(ConfigError, match="clouds of 20 points cannot give 32 groups of 16; lower"):
        tiny(batch_of(clouds(1, 20)))


def test_a_batch_looks_at_its_coordinates_once_and_on_the_host(tiny):
    batch = batch_of(clouds(2, 64))
    assert not batch.finite
    assert batch.to("meta").finite
    assert torch.equal(tiny(batch), tiny(batch.to("cpu")))
    batch.points[1, 5, 2] = torch.nan
    for ask in (tiny, lambda bad: bad.to("meta")):
        with pytest.raises(ValueError, match=r"points\[1, 5\] is .*must be finite"):
            ask(batch)


def test_a_stage_without_valid_tokens_stays_finite(tiny):
    tokens = random_tokens(2, dim=96)
    tokens = tokens.with_context(position_embedding=torch.zeros_like(tokens.features))
    tokens = tokens.replace(valid=torch.zeros_like(tokens.valid))
    assert tiny.encoder.stages["block_0"](tokens).features.isfinite().all()
