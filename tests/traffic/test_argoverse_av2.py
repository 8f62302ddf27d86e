"""Our reading of Argoverse 2 equals that of the official ``av2`` package, where it is installed."""

import numpy as np
import pytest
from traffic_files import first

from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_surfaces
from geo_lm4ve.traffic.batch import AgentType, LaneType

serialization = pytest.importorskip(
    "av2.datasets.motion_forecasting.scenario_serialization", reason="needs pip install geo_lm4ve[motion]"
)
map_api = pytest.importorskip("av2.map.map_api", reason="needs pip install geo_lm4ve[motion]")


@pytest.fixture(params=["made up", "real"])
def pair(request):
    """(our scene, av2's scenario, av2's map, path of the map)."""
    if request.param == "real":
        config = Argoverse2Config(root=str(request.getfixturevalue("scenario")))
        item = config.files("val").items[0]
    else:
        config = Argoverse2Config(root=str(request.getfixturevalue("made_av2")))
        item = config.files("train").items[0]
    lanes = first(item, "log_map_archive_*.json")
    return (
        config.files("val").scene(item),
        serialization.load_argoverse_scenario_parquet(first(item, "scenario_*.parquet")),
        map_api.ArgoverseStaticMap.from_json(lanes),
        lanes,
    )


def test_tracks_are_equal(pair):
    recording, theirs = pair[0].recording, pair[1]
    assert recording.scene_id == theirs.scenario_id
    assert recording.city == theirs.city_name
    assert recording.track_ids[0] == theirs.focal_track_id
    assert sorted(recording.track_ids) == sorted(track.track_id for track in theirs.tracks)
    for track in theirs.tracks:
        row = recording.track_ids.index(track.track_id)
        steps = [state.timestep for state in track.object_states]
        assert np.flatnonzero(recording.valid[row]).tolist() == steps
        assert AgentType(recording.types[row]).name == track.object_type.value
        assert recording.categories[row] == track.category.value
        positions = np.array([state.position for state in track.object_states])
        assert np.array_equal(recording.positions[row, steps], positions)
        observed = [state for state in track.object_states if state.observed]
        if observed:
            assert recording.heading[row] == observed[-1].heading
            assert tuple(recording.velocity[row]) == tuple(observed[-1].velocity)


def test_lanes_are_equal(pair):
    ours, theirs = pair[0].map, pair[2].vector_lane_segments
    assert ours.lane_ids.tolist() == list(theirs)
    known = set(theirs)
    for row, (lane_id, lane) in enumerate(theirs.items()):
        assert bool(ours.attributes[row, 1]) == lane.is_intersection
        assert LaneType(ours.attributes[row, 3]).name.upper() == lane.lane_type.value
        links = [ours.lane_ids[target] for source, target, kind in ours.links if source == row and kind == 0]
        assert sorted(links) == sorted(known.intersection(lane.successors))
        back = [ours.lane_ids[target] for source, target, kind in ours.links if source == row and kind == 1]
        assert sorted(back) == sorted(known.intersection(lane.predecessors))
        for kind, neighbour in ((2, lane.left_neighbor_id), (3, lane.right_neighbor_id)):
            found = [ours.lane_ids[target] for source, target, k in ours.links if source == row and k == kind]
            assert found == ([neighbour] if neighbour in known else [])
        middle = pair[2].get_lane_segment_centerline(lane_id)[:, :2]
        line = ours.centreline(row)
        # av2 takes the middle of the boundaries instead of the file's own centreline: ends agree to some decimetres
        assert np.linalg.norm(middle[[0, -1]] - line[[0, -1]], axis=1).max() < 1.0


def test_surfaces_are_equal(pair):
    surfaces, theirs = read_surfaces(pair[3]), pair[2]
    for ours, area in zip(surfaces.drivable, theirs.vector_drivable_areas.values(), strict=True):
        assert np.array_equal(ours, area.xyz[:-1, :2])  # av2 closes the outline
    crossings = theirs.vector_pedestrian_crossings.values()
    for ours, crossing in zip(surfaces.crossings, crossings, strict=True):
        expected = np.concatenate([crossing.edge1.xyz[:, :2], crossing.edge2.xyz[::-1, :2]])
        assert np.array_equal(ours, expected)
    boundaries = [
        line.xyz[:, :2] for lane in theirs.vector_lane_segments.values()
        for line in (lane.left_lane_boundary, lane.right_lane_boundary)
    ]  # fmt: skip
    for ours, expected in zip(surfaces.boundaries, boundaries, strict=True):
        assert np.array_equal(ours, expected)
