"""Scenes of one's own files as samples of a forecaster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geo_lm4ve.data.found import Found, once
from geo_lm4ve.parts.own_files import OwnFiles
from geo_lm4ve.traffic.batch import SceneBatch
from geo_lm4ve.traffic.cache.packing import Scene
from geo_lm4ve.traffic.layout import Layout
from geo_lm4ve.traffic.view.conventions import SceneView


@dataclass(frozen=True)
class OwnScenes(OwnFiles):
    """See OwnFiles.

    Attributes:
        layout: of the files.
        folder: of the data set, for maps.
        view: how scenes are shown.
    """

    layout: Layout
    folder: Path
    view: SceneView

    def find(self, given: Sequence[Path]) -> Found:
        """Scenes, and those of folders."""
        found = {place: self.layout.own_files(place) for place in given}
        left_out = [f"{place}: no scene in this folder ({self.layout.scenes})" for place in found if not found[place]]
        return Found(once(path for paths in found.values() for path in paths), left_out)

    def sample(self, path: Path) -> Scene:
        """One scene, with the map beside it or else that of the data set."""
        return self.layout.own_scene(path, self.folder)

    def batch(self, samples: Sequence[Scene]) -> SceneBatch:
        """The scenes, shown as the data set's are."""
        return self.layout.batch(samples, self.view)
