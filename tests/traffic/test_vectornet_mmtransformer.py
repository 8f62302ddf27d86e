"""What must hold for every motion model, as a whole and with a frozen block after each of its stages."""

import copy

import pytest
import torch
from scene_batches import collate, double, scene

from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.create import create_model
from geo_lm4ve.model import ModelConfig
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_block_frozen, assert_equal_up_to_rounding
from geo_lm4ve.traffic.heads.trajectory_loss import trajectory_loss

MODELS = {
    "vectornet": {"widths": [8, 16, 32]},
    "mmtransformer": {"dim": 32, "depth": 1, "mlp_dim": 48, "lane_width": 8, "position_dim": 16},
}
PLACES = [
    ("vectornet", "subgraph"),
    ("vectornet", "global"),
    ("mmtransformer", "agents_lanes"),
    ("mmtransformer", "proposals"),
]


def loss(prediction, batch):
    agents = batch.graph["agent"]
    return trajectory_loss(prediction.agents, agents.future, agents.future_valid).total


def with_block(name, after):
    """A model with a frozen random block after one of its stages."""
    torch.manual_seed(0)
    encoder, head = load_option("encoder", name, MODELS[name]), load_option("head", name)
    bridge = LinearBridgeConfig(after=after)
    return ModelConfig(encoder, load_option("block", "random_frozen"), bridge, head, outputs=30).build()


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    torch.manual_seed(0)
    return create_model(request.param, block="identity", **MODELS[request.param]).double().eval()


def some_scenes():
    return [scene(5, 7, 0), scene(1, 0, 1), scene(12, 3, 2), scene(2, 30, 3)]


def test_a_batch_gives_what_its_scenes_give_one_by_one(model):
    scenes = some_scenes()
    together = model(double(collate(*scenes)))
    alone = [model(double(collate(graph))) for graph in scenes]
    for field in ("positions", "probabilities"):
        expected = torch.cat([getattr(prediction, field) for prediction in alone])
        assert_equal_up_to_rounding(getattr(together, field), expected)
    assert_equal_up_to_rounding(together.agents.positions, torch.cat([one.agents.positions for one in alone]))
    assert together.agents.rows.tolist() == list(range(20))


def test_the_order_of_the_others_and_of_the_lanes_does_not_matter(model):
    graph = scene(6, 8, 4)
    agents, lanes = torch.tensor([0, 4, 2, 5, 1, 3]), torch.randperm(8)
    shuffled = graph.clone()
    for kind, order in (("agent", agents), ("lane", lanes)):
        for key, value in graph[kind].items():
            if isinstance(value, torch.Tensor):
                shuffled[kind][key] = value[order]
    before, after = model(double(collate(graph))), model(double(collate(shuffled)))
    assert_equal_up_to_rounding(after.positions, before.positions)
    assert_equal_up_to_rounding(after.agents.positions, before.agents.positions[agents])
    assert not torch.allclose(before.agents.positions[1], before.agents.positions[2])


def test_lanes_padded_to_more_points_are_the_same_lanes(model):
    batch = double(collate(scene(3, 6, 5)))
    before = model(batch).positions
    lanes = batch.graph["lane"]
    lanes.points = torch.cat([lanes.points, 1e3 * torch.ones(6, 4, 2)], dim=1)
    lanes.points_valid = torch.cat([lanes.points_valid, torch.zeros(6, 4, dtype=torch.bool)], dim=1)
    assert_equal_up_to_rounding(model(batch).positions, before)


def test_the_target_depends_on_others_lanes_and_its_own_past(model):
    before = model(double(collate(scene(4, 5, 6)))).positions
    for kind, key in (("agent", "history"), ("lane", "points")):
        batch = double(collate(scene(4, 5, 6)))
        batch.graph[kind][key][-1] += 3.0
        assert (model(batch).positions - before).abs().max() > 1e-6


def test_moving_an_agent_that_has_left_or_hidden_frames_changes_nothing(model):
    batch = double(collate(scene(4, 5, 6)))
    agents = batch.graph["agent"]
    agents.history_valid[3, -1] = False
    before = model(batch)
    assert before.agents.rows.tolist() == [0, 1, 2]
    agents.history[~agents.history_valid] = 77.0
    assert_equal_up_to_rounding(model(batch).positions, before.positions)


@pytest.mark.parametrize("case", ["no lanes at all", "300 agents", "standing target", "seen once", "nobody else"])
def test_hard_scenes_give_finite_predictions_and_gradients(model, case):
    graph = scene(300 if case == "300 agents" else 1 if case == "nobody else" else 4, 4, 7)
    if case == "no lanes at all":
        graph = scene(4, 0, 7)
    if case == "standing target":
        graph["agent"].history[0] = 0.0
    if case == "seen once":
        graph["agent"].history_valid[:, :-1] = False
    batch = double(collate(graph))
    prediction = model(batch)
    assert prediction.positions.isfinite().all()
    assert_equal_up_to_rounding(prediction.probabilities.sum(1), torch.ones(1, dtype=torch.float64))
    model.zero_grad()
    loss(prediction, batch).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_every_part_of_the_encoder_learns_from_ordinary_scenes(model):
    batch = double(collate(*some_scenes()))
    model.zero_grad()
    loss(model(batch), batch).backward()
    resting = [name for name, p in model.encoder.named_parameters() if p.requires_grad and not p.grad.any()]
    assert resting == []


def test_mixed_precision_does_not_round_positions(model):
    batch, single = collate(*some_scenes()[:2]), copy.deepcopy(model).float()
    first = next(iter(single.encoder.stages.values()))
    expected = first(batch).features
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_equal_up_to_rounding(first(batch).features, expected)
        positions = single(batch).positions
    assert positions.dtype == torch.float32
    assert (positions != positions.bfloat16()).float().mean() > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_fifty_observed_and_sixty_future_frames_need_no_other_encoder(name):
    model = create_model(name, num_classes=60, block="identity", **MODELS[name]).eval()
    batch = collate(scene(3, 4, 0, history=50, future=60, points=33), scene(2, 9, 1, history=50, future=60, points=33))
    assert model(batch).positions.shape == (2, 6, 60, 2)
    assert loss(model(batch), batch).isfinite()


@pytest.mark.parametrize(("name", "after"), PLACES)
def test_a_frozen_block_after_any_stage_stays_frozen_and_lets_gradients_pass(name, after):
    batch = collate(*some_scenes()[:3])
    assert_block_frozen(with_block(name, after).train(), batch, lambda prediction: loss(prediction, batch))


@pytest.mark.parametrize(("name", "after"), PLACES)
def test_padding_does_not_reach_the_prediction_through_the_block(name, after):
    model = with_block(name, after).eval()
    with torch.no_grad():
        together = model(collate(*some_scenes())).positions
        alone = torch.cat([model(collate(graph)).positions for graph in some_scenes()])
    assert_equal_up_to_rounding(together, alone)
