"""The real files at hand: published facts about them, and what preparation makes of them."""

import numpy as np
import pytest
import torch
from traffic_files import first

from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse1_map import read_vector_map, vector_map_path
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_surfaces
from geo_lm4ve.traffic.batch import AgentType
from geo_lm4ve.traffic.cache.build import build_cache


@pytest.fixture(scope="module")
def val(subset, tmp_path_factory):
    """The 160 val scenes of the Argoverse 1 subset, as VectorNet sees them."""
    config = Argoverse1Config(root=str(subset), cache=str(tmp_path_factory.mktemp("cache")))
    return config.build().split("val")


def test_counts_of_the_subset(subset):
    config = Argoverse1Config(root=str(subset))
    assert {split: len(config.files(split)) for split in ("train", "val", "test")} == {
        "train": 640, "val": 160, "test": 0,
    }  # fmt: skip
    lanes = {city: len(read_vector_map(vector_map_path(subset / "map_files", city))) for city in ("PIT", "MIA")}
    assert lanes == {"PIT": 2190, "MIA": 5519}


def test_constant_velocity_has_its_known_errors(val):
    """K = 1: minADE 4.5382, minFDE 9.4518 on the val part of the subset."""
    ade, fde = [], []
    for rows in torch.arange(160).split(32):
        batch = val.batch(rows)
        agent, targets = batch.graph["agent"], batch.targets
        history = agent.history[targets].double()
        step = history[:, -1] - history[:, -2]
        forecast = history[:, -1:] + step[:, None] * torch.arange(1, 31)[:, None]
        errors = (forecast - agent.future[targets]).norm(dim=-1)
        ade.append(errors.mean(1))
        fde.append(errors[:, -1])
    assert torch.cat(ade).mean().item() == pytest.approx(4.5382, abs=5e-5)
    assert torch.cat(fde).mean().item() == pytest.approx(9.4518, abs=5e-5)


def test_the_cache_of_real_scenes_is_small_and_loses_nothing(subset, tmp_path, capsys):
    files = Argoverse1Config(root=str(subset)).files("val")
    manifest = build_cache(files, tmp_path)
    assert manifest.scenes == 160
    assert not manifest.dropped
    assert manifest.bytes_per_scene < 30_000
    said = capsys.readouterr().err
    assert "160 of 160 scenes without recording car" in said
    assert "no raster of the drivable area" in said


def test_scenes_lead_back_to_the_files(val, subset):
    files = Argoverse1Config(root=str(subset)).files("val")
    batch = val.batch(torch.arange(20))
    futures = batch.to_city(batch.graph["agent"].future[batch.targets])
    for row in range(20):
        assert_equal_up_to_rounding(
            futures[row], files.recording(files.items[row]).future, dtype=torch.float32, roundings=2, scale=100.0
        )


@pytest.mark.parametrize("option", ["argoverse1", "argoverse1_mmtransformer"])
def test_targets_drive_forward_near_a_lane(option, subset, val):
    config = load_option("data", option, {"root": str(subset), "cache": str(val.shards.folder.parent)})
    batch = config.build().split("val").batch(torch.arange(160))
    agent, lane = batch.graph["agent"], batch.graph["lane"]
    history = agent.history[batch.targets]
    forward = 1 if option.endswith("mmtransformer") else 0
    way = -history[:, 0]
    fast = way.norm(dim=1) > 10
    assert (way[fast, forward] / way[fast].norm(dim=1) > 0.9).float().mean() > 0.9
    nearest = torch.stack(
        [lane.points[lane.batch == row].norm(dim=-1).min() for row in range(160) if (lane.batch == row).any()]
    )
    assert nearest.median() < 5


def test_facts_of_the_real_scenario(scenario):
    """Facts published with the file: tracks, categories, lanes, links that leave the map, the focal track's states."""
    config = Argoverse2Config(root=str(scenario))
    files = config.files("val")
    recording = files.recording(files.items[0])
    assert recording.city == "austin"
    assert recording.track_ids[0] == "138951"
    assert recording.valid.sum() == 2434
    assert recording.valid[:, :50].sum() == 1130
    assert np.bincount(recording.categories).tolist() == [51, 5, 1, 1]
    kinds = {kind.name: int((recording.types == kind).sum()) for kind in AgentType}
    assert {name: count for name, count in kinds.items() if count} == {
        "vehicle": 32, "pedestrian": 12, "static": 8, "riderless_bicycle": 4, "background": 2,
    }  # fmt: skip
    np.testing.assert_allclose(recording.positions[0, 49], (-421.921912, 1445.482461), atol=1e-6)
    np.testing.assert_allclose(recording.positions[0, 109], (-421.869231, 1447.367135), atol=1e-6)
    np.testing.assert_allclose(recording.heading[0], 1.489602, atol=1e-6)
    np.testing.assert_allclose(recording.velocity[0], (0.149905, 1.846064), atol=1e-6)
    lanes = files.scene(files.items[0]).map
    assert len(lanes) == 71
    assert np.bincount(lanes.attributes[:, 3]).tolist() == [34, 37]
    assert lanes.attributes[:, 1].sum() == 32
    assert set(np.diff(lanes.ptr)) <= set(range(2, 34))
    surfaces = read_surfaces(first(scenario, "log_map_archive_*.json"))
    assert (len(surfaces.drivable), len(surfaces.crossings), len(surfaces.boundaries)) == (2, 6, 142)
    assert surfaces.contains(recording.future).all()


def test_constant_velocity_on_the_real_scenario(scenario, tmp_path):
    batch = Argoverse2Config(root=str(scenario), cache=str(tmp_path)).build().split("val").batch(torch.arange(1))
    agent = batch.graph["agent"]
    history, future = agent.history[:1].double(), agent.future[:1].double()
    for step, ade, fde in (
        (history[:, -1] - history[:, -2], 4.9472, 11.2013),
        (agent.velocity[:1].double() / 10, 3.9490, 9.2306),
    ):
        errors = (history[:, -1:] + step[:, None] * torch.arange(1, 61)[:, None] - future).norm(dim=-1)
        assert errors.mean().item() == pytest.approx(ade, abs=1e-4)
        assert errors[0, -1].item() == pytest.approx(fde, abs=1e-4)


def test_the_real_scenario_fits_its_budget(scenario, tmp_path):
    manifest = build_cache(Argoverse2Config(root=str(scenario)).files("val"), tmp_path)
    assert manifest.bytes_per_scene < 30_000
