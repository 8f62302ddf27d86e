"""Scenes, maps and rasters of both layouts, and the scene cache that is made of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from mutate import BYTES
from mutate_packed import SAFETENSORS
from mutate_parquet import PARQUET
from mutate_text import JSON, TEXT
from seed import Seed

from geo_lm4ve.prepare.base import DATASETS
from geo_lm4ve.traffic.argoverse.argoverse1 import ARGOVERSE1, MAPS
from geo_lm4ve.traffic.argoverse.argoverse1_map import read_drivable_raster, read_vector_map
from geo_lm4ve.traffic.argoverse.argoverse2 import ARGOVERSE2, map_path
from geo_lm4ve.traffic.argoverse.argoverse2_map import read_surfaces
from geo_lm4ve.traffic.argoverse.prepare import read_archives
from geo_lm4ve.traffic.batch import AgentType, SceneBatch
from geo_lm4ve.traffic.cache.build import build_cache
from geo_lm4ve.traffic.cache.shards import ShardRecord, Shards, read_cache_manifest, read_record, read_shard
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.loader import SceneSplit
from geo_lm4ve.traffic.metrics.drivable_area import drivable_area_compliance
from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1, write_argoverse2
from geo_lm4ve.traffic.view.assembly import assemble

RECIPE = TrafficRecipe(train=1, val=2, seed=3)
LANES = 40


def _sequence(folder: Path) -> Path:
    write_argoverse1(folder, RECIPE)
    return folder / "val" / "data" / "1.csv"


def _scenario(folder: Path) -> Path:
    write_argoverse2(folder, RECIPE)
    return sorted((folder / "val").glob("*/scenario_*.parquet"))[0]


def _sound(batch: SceneBatch) -> SceneBatch:
    """Every number is one that a network can take, every target whole, every kind one that there is."""
    agent, lane = batch.graph["agent"], batch.graph["lane"]
    for values in (agent.history, agent.future, agent.heading, agent.velocity, lane.points, batch.timestamps):
        assert values.square().isfinite().all()
    assert torch.cat([batch.origin.flatten(), batch.rotation]).isfinite().all()
    assert agent.history_valid[batch.targets].all()
    future = agent.future_valid[batch.targets]
    assert (future.all(1) == future.any(1)).all()
    assert agent.type.min() >= 0
    assert agent.type.max() <= max(AgentType)
    return batch


def _shown(layout: Layout, path: Path) -> SceneBatch:
    """A file of one's own as a model gets it."""
    batch = _sound(layout.read([path], path.parent))
    assert batch.scene_id[0] in str(path)
    return batch


def _city(folder: Path) -> Path:
    """The first lanes of a city's map."""
    path = next((_sequence(folder).parents[2] / MAPS).glob("*.xml"))
    head, *ways = path.read_text().split("  <way")
    used = {word.split('"')[1] for way in ways[:LANES] for word in way.split("<nd ref=")[1:]}
    kept = [line for line in head.splitlines() if "<node" not in line or line.split('"')[1] in used]
    path.write_text("\n".join([*kept, *(f"  <way{way}" for way in ways[:LANES]), "</ArgoverseVectorMap>"]))
    return path


def _lanes(path: Path) -> object:
    lanes = read_vector_map(path)
    assert np.isfinite(lanes.points).all()
    assert np.diff(lanes.ptr).min() >= 2
    return lanes.within(lanes.points[0], 50.0)


def _raster(folder: Path) -> tuple[Path, Path]:
    pixels = folder / "PIT_10314_driveable_area_mat_2019_05_28.npy"
    to_image = folder / "PIT_10314_npyimage_to_city_se2_2019_05_28.npy"
    np.save(pixels, np.ones((40, 30)))
    np.save(to_image, np.array([[1, 0, -100.0], [0, 1, -50.0], [0, 0, 1]]))
    return pixels, to_image


def _drivable(path: Path) -> object:
    surface = read_drivable_raster(path.parent, "PIT")
    assert surface is not None
    forecasts = np.random.default_rng(0).normal(100, 20, (1, 6, 30, 2))
    return drivable_area_compliance(forecasts, [surface], k=6)


def _map(folder: Path) -> Path:
    return map_path(_scenario(folder).parent)


def _surfaces(path: Path) -> object:
    surfaces = read_surfaces(path)
    for line in (*surfaces.drivable, *surfaces.crossings, *surfaces.boundaries):
        assert np.isfinite(line).all()
        assert len(line) >= 2
    return surfaces.contains(np.zeros((3, 2)))


def _cache(folder: Path) -> Path:
    split = _sequence(folder).parents[2]
    build_cache(ARGOVERSE1.files(split, "val"), folder / "cache")
    return folder / "cache" / "manifest.json"


def _cached(manifest_path: Path) -> object:
    """All scenes of a cache, as training reads them; None where it would be built again."""
    manifest = read_cache_manifest(manifest_path.parent)
    if manifest is None or not manifest.scenes:
        return None
    shards = Shards(manifest_path.parent, manifest, ARGOVERSE1.steps)
    split = SceneSplit(shards, torch.arange(manifest.scenes), ARGOVERSE1.view(), ARGOVERSE1.future)
    return _sound(split.batch(torch.arange(len(split))))


def _shard(path: Path) -> object:
    """A shard whose checksum is right, whatever is in it."""
    record = ShardRecord(path.name, "", 2, 0, hashlib.sha256(path.read_bytes()).hexdigest())
    pack, rows = read_shard(path, record, ARGOVERSE1.steps), torch.arange(2)
    return _sound(assemble(pack, rows, rows, ARGOVERSE1.view(), ARGOVERSE1.future))


def _archives(folder: Path) -> Path:
    path = folder / "manifest.toml"
    path.write_bytes((DATASETS / "argoverse1" / "manifest.toml").read_bytes())
    return path


_AV = "geo_lm4ve.traffic.argoverse"
_CACHE = "geo_lm4ve.traffic.cache.shards"
SEEDS = (
    Seed("av1_csv", (f"{_AV}.argoverse1_csv.read_sequence",), _sequence, lambda path: _shown(ARGOVERSE1, path), TEXT),
    Seed("av1_xml", (f"{_AV}.argoverse1_map.read_vector_map",), _city, _lanes, TEXT),
    Seed("av1_pixels", (f"{_AV}.argoverse1_map.read_pixels",), lambda to: _raster(to)[0], _drivable, BYTES),
    Seed("av1_transform", (f"{_AV}.argoverse1_map.read_transform",), lambda to: _raster(to)[1], _drivable, BYTES),
    Seed(
        "av2_parquet", (f"{_AV}.argoverse2_parquet.read_scenario",), _scenario,
        lambda path: _shown(ARGOVERSE2, path), PARQUET,
    ),
    Seed(
        "av2_map", (f"{_AV}.argoverse2_map.read_vector_map",), _map, lambda path: _shown(ARGOVERSE2, path.parent), JSON
    ),
    Seed("av2_surfaces", (f"{_AV}.argoverse2_map.read_surfaces",), _map, _surfaces, JSON),
    Seed("scene_cache", (f"{_CACHE}._read_manifest",), _cache, _cached, JSON),
    Seed(
        "scene_record", (f"{_CACHE}.read_record",), lambda to: _cache(to).with_name("shard-00000.json"), read_record,
        JSON,
    ),
    Seed(
        "scene_shard", (f"{_CACHE}.read_shard",), lambda to: _cache(to).with_name("shard-00000.safetensors"), _shard,
        SAFETENSORS,
    ),
    Seed("archives", (f"{_AV}.prepare.read_archives",), _archives, read_archives, TEXT),
)  # fmt: skip
