"""A third motion data set in one file: npz scenes of 0.4 + 0.6 s without maps, forecasts as JSON, rules of av1."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.records.motion import last_heading, last_velocity
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.vector_map import VectorMap
from geo_lm4ve.traffic.source import SceneConfig
from geo_lm4ve.traffic.submissions import Forecasts

HISTORY, FUTURE = 4, 6


class ToyFiles(SceneFiles):
    """The ``*.npz`` of a folder."""

    title = "toy scenes"

    def __init__(self, folder, items=None):
        self.folder = folder
        self.items = sorted(folder.glob("*.npz")) if items is None else items

    def recording(self, item):
        return read(item)

    def scene(self, item):
        return Scene(read(item), VectorMap.of([], "no map"))

    def label(self, item):
        return item.stem


class ToyLayout(Layout):
    title = ToyFiles.title
    official: ClassVar = {}
    history, future, protocol = HISTORY, FUTURE, Protocol.av1
    scenes, submission = "<scene>.npz", "forecasts.json"

    def files(self, root, split):
        return ToyFiles(root / split)

    def surface(self, root, scene_id, city):
        return None

    def own_files(self, path):
        return sorted(path.glob("*.npz")) if path.is_dir() else [path]

    def own_file(self, path, root):
        return ToyFiles(path.parent, [path])

    def own_surface(self, path, root, city):
        return None

    def scene_files(self, split):
        return {path.stem: path for path in split.glob("*.npz")}

    def recording(self, path):
        return read(path)

    def surfaces(self, paths, cities, split, maps, wanted):
        return None, ["toys have no maps"]

    def read_submission(self, path):
        content = json.loads(path.read_text())
        positions, shares = (np.array(content[name]) for name in ("positions", "shares"))
        return Forecasts(content["scenes"], None, positions, shares)

    def write_submission(self, path, forecasts):
        arrays = {"positions": forecasts.positions.tolist(), "shares": forecasts.probabilities.tolist()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"scenes": list(forecasts.scenes), **arrays}))


TOY = ToyLayout()


@dataclass
class ToyScenes(SceneConfig):
    name: str = "toy_scenes"
    layout: ClassVar[Layout] = TOY


def read(path: Path) -> Recording:
    """One scene: two tracks, both seen throughout."""
    try:
        positions = np.load(path)["positions"]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no toy scene ({error})") from error
    valid, times = np.ones(positions.shape[:2], dtype=bool), 0.1 * np.arange(HISTORY)
    seen = positions[:, :HISTORY], valid[:, :HISTORY]
    return Recording(
        scene_id=path.stem, city="TOY", history=HISTORY, track_ids=["a", "b"], types=np.ones(2, dtype=np.int8),
        categories=np.full(2, -1, dtype=np.int8), positions=positions, valid=valid, heading=last_heading(*seen),
        velocity=last_velocity(*seen, times), times=times, ego=-1,
    )  # fmt: skip


def write_split(folder: Path, scenes: int = 3) -> Path:
    """Scenes ``toy0``, ...: both cars go straight on, 10 m/s and faster."""
    folder.mkdir(parents=True)
    for scene in range(scenes):
        along = (1.0 + scene) * np.arange(HISTORY + FUTURE)
        np.savez(folder / f"toy{scene}.npz", positions=np.stack([np.stack([along, along * 0 + y], -1) for y in (0, 8)]))
    return folder
