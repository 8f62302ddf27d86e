import numpy as np
import pytest
import torch
from scene_batches import collate, scene
from scene_examples import F, T, example, withheld

from geo_lm4ve.traffic.argoverse.argoverse1_map import DrivableRaster
from geo_lm4ve.traffic.argoverse.argoverse2_map import MapSurfaces
from geo_lm4ve.traffic.batch import AgentType
from geo_lm4ve.traffic.viz.colours import mode_strength
from geo_lm4ve.traffic.viz.drawing import box, extent, heading_at
from geo_lm4ve.traffic.viz.outlines import outlines
from geo_lm4ve.traffic.viz.scene import traffic_scene, turned


def _batch():
    graphs = []
    for seed in range(2):
        graph = scene(agents=4, lanes=5, seed=seed)
        graph["agent"].heading = torch.tensor([0.5, 1.0, 1.5, 2.0])
        graph["agent"].type = torch.tensor([AgentType.agent, AgentType.others, AgentType.pedestrian, AgentType.bus])
        graph["agent"].is_ego = torch.tensor([False, True, False, False])
        graphs.append(graph)
    graphs[1]["agent"].history[1], graphs[1]["agent"].future[1] = 3.0, 3.0
    return collate(*graphs)


def test_a_scene_of_a_batch():
    batch = _batch()
    modes = torch.randn(6, 30, 2)
    shown = traffic_scene(batch, 1, modes=modes, probabilities=torch.full((6,), 1 / 6), numbers={"minFDE_6": 2.0})
    assert shown.name == "scene-1"
    assert shown.kinds == ["vehicle", "vehicle", "pedestrian", "bus"]
    assert shown.ego == 1
    assert len(shown.lanes) == 5
    assert shown.tracks.shape == (4, 50, 2)
    agents = batch.graph["agent"]
    known = torch.cat([agents.history_valid[4:], agents.future_valid[4:]], 1).numpy()
    np.testing.assert_array_equal(np.isfinite(shown.tracks).all(-1), known)
    step = shown.now - shown.tracks[0, : shown.history]
    assert step[np.linalg.norm(step, axis=1) > 1][-1] @ [1, 0] == pytest.approx(0, abs=1e-9)  # drives upwards
    distances = torch.cat([agents.future[4], modes.reshape(-1, 2)]).norm(dim=1)
    np.testing.assert_allclose(
        np.linalg.norm(np.concatenate([shown.tracks[0, 20:], shown.modes.reshape(-1, 2)]), axis=1), distances, rtol=1e-5
    )


def test_an_agent_that_never_moved_has_no_heading_where_none_is_recorded():
    shown = traffic_scene(_batch(), 1)
    assert np.isnan(shown.headings[1])
    assert np.isfinite(shown.headings[[0, 2, 3]]).all()


def test_drivable_areas_are_shown_in_the_frame_of_the_scene():
    batch = _batch()
    batch.origin[:] = torch.tensor([500.0, 800.0])
    batch.rotation[:] = 0.7
    square = np.array([[490.0, 790], [510, 790], [510, 810], [490, 810]])
    surface = MapSurfaces([square, square + 1000], [square[:3]], [square[:2], square[2:]])
    shown = traffic_scene(batch, 0, surface=surface)
    assert (len(shown.drivable), len(shown.crossings), len(shown.boundaries)) == (1, 1, 2)
    corners = shown.drivable[0][0]
    np.testing.assert_allclose(np.linalg.norm(corners, axis=1), np.sqrt(200))
    pixels = np.zeros((900, 600))
    pixels[790:811, 490:511] = 1
    from_raster = traffic_scene(batch, 0, surface=DrivableRaster(pixels, np.eye(3)))
    (ring,) = from_raster.drivable[0]
    assert np.abs(np.linalg.norm(ring, axis=1).max() - np.sqrt(200)) < 1


def test_outlines_know_holes():
    pixels = np.zeros((200, 200))
    pixels[50:150, 50:150] = 1
    pixels[90:110, 90:110] = 0
    (area,) = outlines(DrivableRaster(pixels, np.eye(3)), np.array([100.0, 100.0]), 80.0)
    assert len(area) == 2
    assert np.ptp(area[0], axis=0) == pytest.approx([100, 100], abs=2)
    assert np.ptp(area[1], axis=0) == pytest.approx([20, 20], abs=2)


def test_turning_turns_everything():
    scene = example(drivable=[[np.eye(2)]], crossings=[np.eye(2)], boundaries=[np.eye(2)])
    moved = turned(scene, np.pi / 2)
    np.testing.assert_allclose(moved.now, [-scene.now[1], scene.now[0]], atol=1e-12)
    np.testing.assert_allclose(moved.modes[..., 0], -scene.modes[..., 1])
    np.testing.assert_allclose(moved.headings[:2], scene.headings[:2] + np.pi / 2)
    for lines in (moved.drivable[0], moved.crossings, moved.boundaries):
        np.testing.assert_allclose(lines[0], [[0, 1], [-1, 0]], atol=1e-12)
    np.testing.assert_allclose(turned(moved, -np.pi / 2).tracks, scene.tracks, atol=1e-12)


def test_what_follows_from_a_scene():
    scene = example()
    assert scene.steps == T + F
    assert scene.seconds(T - 1) == 0
    assert scene.seconds(T + 4) == pytest.approx(0.5)
    assert scene.errors.argmin() == 1
    assert withheld().truth is None
    assert withheld().errors is None


def test_boxes_follow_the_motion():
    scene = example()
    assert heading_at(scene, 0, T) == pytest.approx(np.pi / 2, abs=0.1)
    corners = box(scene, 0, T - 1)
    assert np.ptp(corners, axis=0) == pytest.approx([1.9, 4.5], abs=0.1)
    assert len(box(scene, 2, T + 10)) > 4  # no heading: a circle


def test_the_picture_holds_path_and_forecasts():
    scene = example()
    centre, half = extent(scene)
    points = np.concatenate([scene.tracks[0], scene.modes.reshape(-1, 2)])
    assert (np.abs(points - centre) < half).all()
    assert extent(withheld())[1] >= 25


def test_likely_modes_are_strong():
    assert mode_strength(np.array([0.5, 0.25, 0.0]), 3).tolist() == [1.0, 0.625, 0.25]
    assert mode_strength(None, 2).tolist() == [0.8, 0.8]
