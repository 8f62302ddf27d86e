import hashlib
import json

import numpy as np
import pytest
import torch
from traffic_files import RECIPE

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.base import find
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.batch import AgentType, Turn
from geo_lm4ve.traffic.synthetic.driving import AMBIGUOUS_FROM, Plan, drive, make_route
from geo_lm4ve.traffic.synthetic.network import JUNCTION_SPEED, SETBACK, STREET_SPEED, build_town
from geo_lm4ve.traffic.synthetic.scene import make_traffic
from geo_lm4ve.traffic.synthetic.source import SyntheticTrafficAv2Config, SyntheticTrafficConfig
from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1


@pytest.fixture(scope="module")
def town():
    return build_town(np.random.default_rng(0))


@pytest.fixture(scope="module")
def scenes(town):
    return {
        (history, future): [
            make_traffic(town, history, future, np.random.default_rng([1, number])) for number in range(12)
        ]
        for history, future in ((20, 30), (50, 60))
    }


def test_lanes_follow_each_other_without_gaps_or_kinks(town):
    for row, successors in enumerate(town.successors):
        for other in successors:
            before, after = town.map.centreline(row), town.map.centreline(other)
            assert np.linalg.norm(before[-1] - after[0]) < 1e-9
            leave, arrive = before[-1] - before[-2], after[1] - after[0]
            assert leave @ arrive / np.linalg.norm(leave) / np.linalg.norm(arrive) > np.cos(0.35)


def test_turns_turn_to_their_side(town):
    for row in np.flatnonzero(town.junction).tolist():
        line = town.map.centreline(row)
        first, last = line[1] - line[0], line[-1] - line[-2]
        angle = np.arctan2(first[0] * last[1] - first[1] * last[0], first @ last)
        turn = Turn(town.map.attributes[row, 0])
        assert {Turn.left: angle > 0.4, Turn.right: angle < -0.4, Turn.none: abs(angle) < 0.7}[turn]


def test_a_driver_keeps_to_speed_limits_and_stops_at_the_line(town):
    row = next(row for row in town.approach if len(town.successors[row]) == 3)
    route = make_route(town, [town.predecessors[row][0], row, town.successors[row][1]])
    line = route.lines[0]
    (place, _), (speed, slow) = drive([Plan(route, 0.0), Plan(route, 0.0, stop=line, wait=1.5)], 160)
    assert speed.max() <= STREET_SPEED
    assert abs(speed[np.abs(place - line).argmin()] - JUNCTION_SPEED) < 0.8
    standing = np.flatnonzero(slow == 0)
    assert 14 <= len(standing) <= 18
    stopped, _ = drive([Plan(route, 0.0, stop=line, wait=1.5)], 160)
    assert line - 1.1 < stopped[0, standing[0]] < line + 0.1
    assert slow[standing[-1] + 15 :].max() > 2


@pytest.mark.parametrize("sizes", [(20, 30), (50, 60)], ids=["3 s", "6 s"])
def test_nothing_in_the_past_tells_the_choices_apart(scenes, sizes):
    """All six futures leave the same point at the same speed, and the one that came is one of them."""
    history, future = sizes
    undecided = [scene for scene in scenes[sizes] if len(scene.modes)]
    assert len(undecided) >= 6
    for scene in undecided:
        assert scene.modes.shape == (6, future, 2)
        assert np.ptp(scene.modes[:, 0], axis=0).max() < 1e-6
        missed = np.linalg.norm(scene.modes - scene.positions[0, history:], axis=-1).max(1)
        assert missed.min() < 0.15
        ends = scene.modes[:, -1]
        apart = np.linalg.norm(ends[:, None] - ends, axis=-1)
        different = 1 + sum((apart[i, :i] > 0.5).all() for i in range(1, 6))
        assert different == {30: 4, 60: 6}[future]


def test_choices_are_evenly_spread(town):
    counts = np.zeros(6)
    for number in range(60):
        scene = make_traffic(town, 50, 60, np.random.default_rng([7, number]))
        if len(scene.modes):
            counts[np.linalg.norm(scene.modes - scene.positions[0, 50:], axis=-1).max(1).argmin()] += 1
    assert counts.min() >= 2


def test_before_the_decision_the_stop_line_is_near(scenes):
    assert AMBIGUOUS_FROM < 15
    for scene in scenes[20, 30]:
        if len(scene.modes):
            crossing = np.linalg.norm(scene.modes[0] - scene.positions[0, 19], axis=-1).max()
            assert crossing > AMBIGUOUS_FROM


def test_tracks_move_as_their_velocity_says(scenes):
    for scene in scenes[50, 60]:
        moved = np.diff(scene.positions, axis=1) / 0.1
        error = np.linalg.norm(moved - scene.velocity[:, :-1], axis=-1)
        assert np.median(error) < 0.6
        assert scene.valid[:2].all()
        assert scene.types[:2] == [AgentType.vehicle] * 2


def test_cars_keep_apart(scenes):
    for scene in scenes[50, 60]:
        cars = scene.positions[[kind is AgentType.vehicle for kind in scene.types]]
        gaps = np.linalg.norm(cars[:, None] - cars, axis=-1).min(-1) + 99 * np.eye(len(cars))
        assert gaps.min() > 3.5


def test_the_same_recipe_gives_the_same_files(made_av1, tmp_path):
    write_argoverse1(tmp_path, RECIPE)

    def digests(root):
        paths = [path for part in ("train", "val", "map_files") for path in (root / part).rglob("*") if path.is_file()]
        return {path.relative_to(root): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    assert digests(tmp_path) == digests(made_av1)
    assert len(digests(tmp_path)) == 7 + 4 + 3


def test_another_seed_gives_another_town(tmp_path, made_av1):
    write_argoverse1(tmp_path, TrafficRecipe(1, 1, seed=4))
    name = "map_files/pruned_argoverse_SYN_0_vector_map.xml"
    assert (tmp_path / name).read_text() != (made_av1 / name).read_text()


@pytest.mark.parametrize(
    ("made_up", "official", "steps"),
    [(SyntheticTrafficConfig, Argoverse1Config, (20, 30)), (SyntheticTrafficAv2Config, Argoverse2Config, (50, 60))],
    ids=["av1", "av2"],
)
def test_made_up_data_are_called_so_and_read_like_the_original(made_up, official, steps, tmp_path, capsys):
    config = made_up(root=str(tmp_path), train=3, val=2, seed=1)
    source = config.build()
    assert source.info.synthetic
    assert "synthetic traffic" in source.info.title
    assert "3 train, 2 val" in source.info.title
    assert (source.info.history, source.info.future) == steps
    batch = source.split("train").batch(torch.arange(3))
    assert json.loads((tmp_path / "manifest.json").read_text())["synthetic"] is True
    assert "generating 3 + 2 traffic scenes into" in capsys.readouterr().err
    same = official(root=str(tmp_path), cache=str(tmp_path / "other")).build().split("train").batch(torch.arange(3))
    assert torch.equal(batch.graph["agent"].history, same.graph["agent"].history)
    config.build()
    assert "making up" not in capsys.readouterr().err


def test_futures_drive_where_one_may(made_av1, made_av2):
    for config in (Argoverse1Config(root=str(made_av1)), Argoverse2Config(root=str(made_av2))):
        files = config.files("train")
        for item in files.items:
            recording = files.recording(item)
            surface = config.surface(recording.scene_id, recording.city)
            assert surface.contains(recording.future).all()
            assert not surface.contains(recording.future + 2000).any()


def test_a_folder_of_another_recipe_is_not_overwritten(tmp_path):
    SyntheticTrafficConfig(root=str(tmp_path), train=1, val=1).prepare()
    with pytest.raises(DataError, match=r"holds traffic scenes made with .*'seed': 0.* asked for is .*'seed': 2"):
        SyntheticTrafficConfig(root=str(tmp_path), train=1, val=1, seed=2).prepare()


@pytest.mark.parametrize("name", ["synthetic_traffic", "synthetic_traffic_av2"])
def test_scenes_of_the_user_are_left_alone(tmp_path, name):
    scene = tmp_path / "train" / "data" / "1.csv"
    scene.parent.mkdir(parents=True)
    scene.write_text("mine")
    with pytest.raises(DataError, match=r"not generated here: train\..*own are read by data=argoverse[12] data.root="):
        make("data", name, {"root": str(tmp_path)}).build()
    with pytest.raises(DataError, match="not generated here: train"):
        find(name).prepare(tmp_path, None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [scene]
    assert scene.read_text() == "mine"


def test_impossible_numbers_are_named():
    with pytest.raises(ConfigError, match=r"data\.train=0"):
        SyntheticTrafficConfig(train=0)
    with pytest.raises(ConfigError, match=r"data\.seed=-1"):
        SyntheticTrafficAv2Config(seed=-1)


def test_stop_lines_are_before_the_junctions(town):
    """Lanes end SETBACK metres before the middle of a junction: successors of one lane start together."""
    assert SETBACK > 0
    for row in town.approach:
        starts = [town.map.centreline(other)[0] for other in town.successors[row]]
        assert np.ptp(np.array(starts), axis=0).max() < 1e-9
