"""What is shown of a scene, against rules written out as loops over the original files."""

import numpy as np
import pytest
import torch

from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.frames import to_local
from geo_lm4ve.traffic.view.conventions import AgentArea, AgentSelection, LaneArea, LaneSelection


@pytest.fixture
def shown(made_av1, tmp_path):
    """A function: selection -> (batch, the original scenes)."""

    def show(**options):
        config = Argoverse1Config(root=str(made_av1), cache=str(tmp_path), **options)
        split = config.build().split("train")
        files = config.files("train")
        return split.batch(torch.arange(len(split))), [files.scene(item) for item in files.items]

    return show


def in_frame(batch, row, points):
    return to_local(torch.from_numpy(points)[None], batch.origin[row : row + 1], batch.rotation[row : row + 1])[0]


@pytest.mark.parametrize("area", AgentArea, ids=lambda area: area.name)
@pytest.mark.parametrize(("seen_last", "min_history"), [(True, 1), (False, 1), (True, 12)])
def test_agents_by_their_rules(shown, area, seen_last, min_history):
    selection = AgentSelection(area=area, radius=40.0, seen_last=seen_last, min_history=min_history)
    batch, scenes = shown(agents=selection)
    for row, scene in enumerate(scenes):
        recording, expected = scene.recording, []
        for track, name in enumerate(recording.track_ids):
            steps = np.flatnonzero(recording.valid[track, :20])
            if not len(steps):
                continue
            place = in_frame(batch, row, recording.positions[track, steps[-1]][None])[0]
            near = {
                AgentArea.box: place.abs().max() <= 40, AgentArea.disc: place.norm() <= 40, AgentArea.all: True,
            }[area]  # fmt: skip
            if track == 0 or (near and len(steps) >= min_history and (steps[-1] == 19 or not seen_last)):
                expected.append(name)
        assert batch.agent_ids[row] == expected


@pytest.mark.parametrize("area", LaneArea, ids=lambda area: area.name)
def test_lanes_by_their_rules(shown, area):
    batch, scenes = shown(lanes=LaneSelection(area=area, radius=45.0), agents=AgentSelection(radius=60.0))
    lane, agent = batch.graph["lane"], batch.graph["agent"]
    for row, scene in enumerate(scenes):
        centre = scene.recording.reference
        places = agent.history[agent.batch == row][:, -1].double()
        expected = []
        for number in range(len(scene.map)):
            line = scene.map.centreline(number)
            moved = np.abs(line - centre)
            local = in_frame(batch, row, line)
            low, high = (line - centre).min(0), (line - centre).max(0)
            fits = {
                LaneArea.inside_box: moved.max() <= 45,
                LaneArea.overlaps_box: (low <= 45).all() and (high >= -45).all(),
                LaneArea.disc: local.norm(dim=1).min() <= 45,
                LaneArea.near_agents: torch.cdist(local, places).min() <= 45,
            }[area]
            if fits:
                expected.append(local)
        found = lane.points[lane.batch == row].double()
        assert len(found) == len(expected) > 0
        assert_equal_up_to_rounding(found, torch.stack(expected), dtype=torch.float32)


def test_limits_keep_the_nearest_and_the_target(shown):
    everything, _ = shown(agents=AgentSelection(area=AgentArea.all))
    few, _ = shown(agents=AgentSelection(area=AgentArea.all, limit=3), lanes=LaneSelection(limit=10))
    assert (few.graph["agent"].ptr.diff() <= 3).all()
    assert (few.graph["lane"].ptr.diff() == 10).all()
    agent = everything.graph["agent"]
    for row, ids in enumerate(few.agent_ids):
        distance = agent.history[agent.batch == row][:, -1].norm(dim=1)
        nearest = distance.argsort()[:3].tolist()
        assert set(ids) == {everything.agent_ids[row][i] for i in nearest}
        assert ids[0] == everything.agent_ids[row][0]
    lane = everything.graph["lane"]
    for row in range(7):
        reach = lane.points[lane.batch == row].norm(dim=-1).amin(1).sort().values[:10]
        kept = few.graph["lane"].points[few.graph["lane"].batch == row].norm(dim=-1).amin(1).sort().values
        torch.testing.assert_close(kept, reach)


def test_a_scene_with_no_lanes_and_one_agent_is_a_scene(shown):
    batch, _ = shown(lanes=LaneSelection(radius=0.5), agents=AgentSelection(radius=0.01))
    assert len(batch) == 7
    assert batch.graph["lane"].points.shape[0] == 0
    assert batch.graph["lane"].ptr.tolist() == [0] * 8
    assert batch.graph["agent"].ptr.tolist() == list(range(8))
    assert batch.graph["lane", "successor", "lane"].edge_index.shape == (2, 0)


def test_resampled_centrelines_are_even_and_keep_their_ends(shown):
    whole, _ = shown()
    few, _ = shown(lanes=LaneSelection(points=4))
    assert few.graph["lane"].points.shape[1] == 4
    assert few.graph["lane"].points_valid.all()
    torch.testing.assert_close(few.graph["lane"].points[:, [0, -1]], whole.graph["lane"].points[:, [0, -1]])
    steps = few.graph["lane"].points.diff(dim=1).norm(dim=-1)
    assert ((steps.amax(1) - steps.amin(1)) / steps.amax(1)).max() < 0.1
