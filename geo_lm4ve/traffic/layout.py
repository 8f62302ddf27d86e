"""Layout: how a motion data set keeps scenes, maps and forecasts on disk, and what is true of all its scenes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from geo_lm4ve.traffic.batch import HZ, SceneBatch
from geo_lm4ve.traffic.cache.contents import Steps
from geo_lm4ve.traffic.cache.files import SceneFiles
from geo_lm4ve.traffic.cache.packing import Scene, check_map, pack_scenes
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.traffic.records.recording import Recording
from geo_lm4ve.traffic.records.surface import Surface
from geo_lm4ve.traffic.submissions.forecasts import Forecasts
from geo_lm4ve.traffic.view.assembly import assemble
from geo_lm4ve.traffic.view.conventions import SceneView


class Layout(ABC):
    """One object per data set, without state: worker processes get copies of it.

    A further data set is one file with a SceneFiles, a Layout and a SceneConfig that names it, and two registrations:
    ``@register("data", name)`` and, to score anybody's forecasts of it, ``register_scorer`` (``scoring/scorer.py``).

    Attributes:
        title: its name in titles and messages.
        official: scenes per split of the release.
        history, future: observed steps T and steps F to predict.
        hz: steps per second.
        protocol: the rules of its own evaluation.
        scenes: how scene files lie in a split folder, for messages.
        submission: name of the file of forecasts that a run leaves behind.
    """

    title: ClassVar[str]
    official: ClassVar[Mapping[str, int]]
    history: ClassVar[int]
    future: ClassVar[int]
    hz: ClassVar[float] = HZ
    protocol: ClassVar[Protocol]
    scenes: ClassVar[str]
    submission: ClassVar[str]

    @property
    def steps(self) -> Steps:
        """Steps T and F."""
        return Steps(self.history, self.future)

    def view(self) -> SceneView:
        """How its scenes are shown unless a config says otherwise."""
        return SceneView()

    @abstractmethod
    def files(self, root: Path, split: str) -> SceneFiles:
        """The original files of one of the data set's own splits; empty where there are none."""

    @abstractmethod
    def surface(self, root: Path, scene_id: str, city: str) -> Surface | None:
        """The drivable area around a scene of the data set in ``root``, where there is one."""

    @abstractmethod
    def own_files(self, path: Path) -> list[Path]:
        """What ``own_file`` takes: the scenes of a folder, or the path itself."""

    @abstractmethod
    def own_file(self, path: Path, root: Path) -> SceneFiles:
        """One scene from anywhere, with its map beside it or else in ``root``; DataError if they are not found."""

    @abstractmethod
    def own_surface(self, path: Path, root: Path, city: str) -> Surface | None:
        """The drivable area around the scene of ``own_file``, where there is one."""

    @abstractmethod
    def scene_files(self, split: Path) -> dict[str, Path]:
        """Scene name -> file for ``recording``, of anybody's split folder; empty where there is none."""

    @abstractmethod
    def recording(self, path: Path) -> Recording:
        """The tracks in one of the files of ``scene_files``; DataError if they cannot be read."""

    @abstractmethod
    def surfaces(
        self, paths: Sequence[Path], cities: Sequence[str], split: Path, maps: Path | None, wanted: bool
    ) -> tuple[list[Surface] | None, list[str]]:
        """The drivable areas of scenes to be scored, and what a reader of the scores should know about them.

        Args:
            paths: files of the scenes, as ``scene_files`` gave them.
            cities: of the scenes.
            split: the folder that they lie in.
            maps: where the maps are, if not at their usual place.
            wanted: asked for. A layout that finds them in no time gives them anyway.

        Returns:
            One per scene, or None where they are not known for every scene; and sentences.

        Raises:
            DataError: a map is damaged, or there is no folder ``maps``.
        """

    @abstractmethod
    def read_submission(self, path: Path) -> Forecasts:
        """The forecasts in a submission file; ForecastError if it is none."""

    @abstractmethod
    def write_submission(self, path: Path, forecasts: Forecasts) -> None:
        """Write a submission file, whole or not at all; ForecastError where the format cannot hold the forecasts."""

    def read(self, paths: Sequence[Path], root: Path, view: SceneView | None = None) -> SceneBatch:
        """Scenes of one's own files as a batch.

        Args:
            paths: of ``own_files``.
            root: folder of the data set, for maps.
            view: how to show them; None: as the layout's scenes are.

        Raises:
            DataError: a file or its map cannot be read.
        """
        return self.batch([self.own_scene(Path(path), root) for path in paths], view)

    def own_scene(self, path: Path, root: Path) -> Scene:
        """The scene of ``own_file``; DataError if it or its map cannot be read, or the map is that of another place."""
        files = self.own_file(path, root)
        scene = files.scene(files.items[0])
        check_map(scene)
        return scene

    def batch(self, scenes: Sequence[Scene], view: SceneView | None = None) -> SceneBatch:
        """Scenes as a batch, shown by a view; None: as the layout's scenes are."""
        rows = torch.arange(len(scenes))
        return assemble(pack_scenes(scenes), rows, rows, view or self.view(), self.future)
