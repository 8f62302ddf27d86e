from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.batch import LANE_EDGES, AgentType, join_batches
from geo_lm4ve.traffic.sizes import SceneSizes


@pytest.fixture(params=["av1", "av2"])
def config(request, tmp_path):
    layout = {"av1": Argoverse1Config, "av2": Argoverse2Config}[request.param]
    root = request.getfixturevalue(f"made_{request.param}")
    return layout(root=str(root), cache=str(tmp_path / "cache"))


@pytest.fixture
def split(config):
    return config.build().split("train")


@pytest.fixture
def batch(split):
    return split.batch(torch.arange(len(split)))


def test_shapes_and_types_are_those_of_the_contract(batch, config):
    agent, lane = batch.graph["agent"], batch.graph["lane"]
    A, L, T, F = len(agent.type), len(lane.turn), config.layout.history, config.layout.future
    assert len(batch) == batch.scenes == 7
    assert agent.history.shape == (A, T, 2)
    assert agent.future.shape == (A, F, 2)
    assert agent.history_valid.shape == (A, T)
    assert agent.future_valid.shape == (A, F)
    assert {agent.history.dtype, agent.velocity.dtype, agent.heading.dtype, lane.points.dtype} == {torch.float32}
    assert agent.type.dtype == agent.category.dtype == lane.turn.dtype == torch.int64
    assert lane.points.shape[::2] == (L, 2)
    assert lane.points_valid.shape == lane.points.shape[:2]
    assert batch.timestamps.shape == (7, T)
    assert torch.equal(batch.timestamps[:, 0], torch.zeros(7))
    assert batch.index.tolist() == list(range(7))
    assert [len(ids) for ids in batch.agent_ids] == agent.ptr.diff().tolist()


def test_targets_come_first_and_are_seen_throughout(batch):
    agent = batch.graph["agent"]
    assert torch.equal(agent.is_target.nonzero()[:, 0], batch.targets)
    assert agent.history_valid[batch.targets].all()
    assert agent.future_valid[batch.targets].all()
    assert (torch.bincount(agent.batch[agent.is_ego], minlength=7) <= 1).all()


def test_the_target_ends_its_history_at_the_origin_heading_along_x(batch):
    history = batch.graph["agent"].history[batch.targets]
    assert history[:, -1].abs().max() == 0
    moving = history[:, 0].norm(dim=-1) > 5
    assert moving.any()
    assert (history[moving, -6, 0] < -0.5).all()


def test_what_is_not_valid_is_zero(batch):
    agent = batch.graph["agent"]
    assert (agent.history[~agent.history_valid] == 0).all()
    assert (agent.future[~agent.future_valid] == 0).all()
    assert not agent.history_valid.all()


def test_batch_and_ptr_agree(batch):
    for kind in ("agent", "lane"):
        store = batch.graph[kind]
        assert torch.equal(torch.bincount(store.batch, minlength=7).cumsum(0), store.ptr[1:])
        assert (store.batch.diff() >= 0).all()


def test_padding_repeats_the_last_point(batch):
    lane = batch.graph["lane"]
    last = lane.points_valid.sum(1) - 1
    ends = lane.points[torch.arange(len(last)), last][:, None].expand_as(lane.points)
    assert torch.equal(lane.points[~lane.points_valid], ends[~lane.points_valid])


def test_links_stay_within_a_scene_and_meet_end_to_start(batch):
    graph, lane = batch.graph, batch.graph["lane"]
    last = lane.points_valid.sum(1) - 1
    start, end = lane.points[:, 0], lane.points[torch.arange(len(last)), last]
    for relation in LANE_EDGES:
        source, target = graph["lane", relation, "lane"].edge_index
        assert len(source)
        assert torch.equal(lane.batch[source], lane.batch[target])
    source, target = graph["lane", "successor", "lane"].edge_index
    assert (end[source] - start[target]).norm(dim=1).max() < 0.03
    source, target = graph["lane", "predecessor", "lane"].edge_index
    assert (start[source] - end[target]).norm(dim=1).max() < 0.03


def test_left_neighbours_lie_to_the_left(batch):
    lane = batch.graph["lane"]
    source, target = batch.graph["lane", "left", "lane"].edge_index
    along = lane.points[source, 1] - lane.points[source, 0]
    aside = lane.points[target, 0] - lane.points[source, 0]
    assert (along[:, 0] * aside[:, 1] - along[:, 1] * aside[:, 0] > 0).all()


def test_to_city_gives_back_the_files(batch, config):
    files = config.files("train")
    futures = batch.to_city(batch.graph["agent"].future[batch.targets])
    for row, item in enumerate(files.items):
        recording = files.recording(item)
        assert recording.scene_id == batch.scene_id[row]
        assert_equal_up_to_rounding(futures[row], recording.future, dtype=torch.float32, roundings=2, scale=100.0)


def test_to_city_and_back_is_exact(batch):
    random = torch.Generator().manual_seed(0)
    positions = 100 * torch.randn(7, 6, 30, 2, generator=random, dtype=torch.float64)
    assert_equal_up_to_rounding(batch.to_scene(batch.to_city(positions)), positions, scale=2e4, roundings=4)
    agents = batch.graph["agent"]
    everyone = batch.to_city(agents.history, agents.batch)
    assert everyone.dtype == torch.float64
    assert_equal_up_to_rounding(everyone[batch.targets], batch.to_city(agents.history[batch.targets]))


def test_joined_batches_equal_one_batch(split, batch):
    parts = [split.batch(rows) for rows in torch.arange(7).split([1, 2, 4])]
    whole = join_batches(parts)
    assert whole.scene_id == batch.scene_id
    assert whole.agent_ids == batch.agent_ids
    for ours, theirs in zip(whole.graph.stores, batch.graph.stores):
        assert sorted(ours.keys()) == sorted(theirs.keys())
        for name in theirs.keys():  # noqa: SIM118
            assert_equal_up_to_rounding(ours[name], theirs[name], roundings=1)
    assert torch.equal(whole.origin, batch.origin)
    assert whole.known == batch.known


def test_sizes_are_known_when_a_batch_is_made_and_go_where_it_goes(batch):
    agents, lanes = batch.graph["agent"], batch.graph["lane"]
    assert batch.known == SceneSizes.of(batch.graph)
    assert batch.known.agents == tuple(agents.ptr.diff().tolist())
    for scene, (start, stop) in enumerate(pairwise(agents.ptr.tolist())):
        assert batch.known.seen[scene] == int(agents.history_valid[start:stop, -1].sum())
        assert batch.known.target_seen[scene]
    for scene, (start, stop) in enumerate(pairwise(lanes.ptr.tolist())):
        assert batch.known.lanes[scene] == stop - start
        assert batch.known.pieces[scene] == int((lanes.points_valid[start:stop].sum(1) - 1).sum())
    assert batch.to("cpu").known == batch.to("meta").known == batch.known
    assert replace(batch, known=None).to("meta").known == batch.known


def test_moving_a_batch_leaves_the_original_alone(batch):
    moved = batch.to("meta")
    assert moved.graph["agent"].history.is_meta
    assert not batch.graph["agent"].history.is_meta
    assert moved.origin.device.type == "cpu"


def test_types_of_both_data_sets(batch, config):
    types = {AgentType(value) for value in batch.graph["agent"].type.tolist()}
    if config.name == "argoverse1":
        assert types == {AgentType.agent, AgentType.av, AgentType.others}
        assert (batch.graph["agent"].category == -1).all()
    else:
        assert types >= {AgentType.vehicle, AgentType.pedestrian}
        assert (batch.graph["agent"].category[batch.targets] == 3).all()
