"""Synthetic traffic: made-up scenes in the layouts of Argoverse 1 and 2, written on first use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from geo_lm4ve.config import ConfigError, register
from geo_lm4ve.files import write_json
from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.argoverse.argoverse1 import Argoverse1Config
from geo_lm4ve.traffic.argoverse.argoverse2 import Argoverse2Config
from geo_lm4ve.traffic.source import SceneSource
from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1, write_argoverse2

MANIFEST = "manifest.json"


@register("data", "synthetic_traffic")
@dataclass
class SyntheticTrafficConfig(Argoverse1Config):
    """Made-up traffic in the layout of Argoverse 1: 2 s observed, 3 s to predict. Not a benchmark: say so.

    Attributes:
        train, val: scenes to make up.
        seed: of town and scenes; the experiment's seed does not change them.
    """

    name: str = "synthetic_traffic"
    root: str = "datasets/synthetic_traffic/processed/argoverse1"
    train: int = 640
    val: int = 160
    seed: int = 0

    layout: ClassVar[str] = "synthetic traffic in the layout of Argoverse 1"
    synthetic: ClassVar[bool] = True
    official: ClassVar[dict[str, int]] = {}

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        _check(self.train, self.val, self.seed)

    def build(self) -> SceneSource:
        """The data source; the files are made first if they are not there."""
        self.prepare()
        return SceneSource(self)

    def prepare(self) -> None:
        """Make the files unless they are there; DataError if ``root`` holds others."""
        _prepare(Path(self.root).expanduser(), TrafficRecipe(self.train, self.val, self.seed), write_argoverse1)


@register("data", "synthetic_traffic_av2")
@dataclass
class SyntheticTrafficAv2Config(Argoverse2Config):
    """Made-up traffic in the layout of Argoverse 2: 5 s observed, 6 s to predict. Not a benchmark: say so.

    Attributes:
        train, val: scenes to make up.
        seed: of town and scenes; the experiment's seed does not change them.
    """

    name: str = "synthetic_traffic_av2"
    root: str = "datasets/synthetic_traffic/processed/argoverse2"
    train: int = 640
    val: int = 160
    seed: int = 0

    layout: ClassVar[str] = "synthetic traffic in the layout of Argoverse 2"
    synthetic: ClassVar[bool] = True
    official: ClassVar[dict[str, int]] = {}

    def __post_init__(self) -> None:
        """Check ranges; raises ConfigError."""
        super().__post_init__()
        _check(self.train, self.val, self.seed)

    def build(self) -> SceneSource:
        """The data source; the files are made first if they are not there."""
        self.prepare()
        return SceneSource(self)

    def prepare(self) -> None:
        """Make the files unless they are there; DataError if ``root`` holds others."""
        _prepare(Path(self.root).expanduser(), TrafficRecipe(self.train, self.val, self.seed), write_argoverse2)


def _check(train: int, val: int, seed: int) -> None:
    if train < 1 or val < 1 or seed < 0:
        raise ConfigError(f"data.train={train} and data.val={val} must be at least 1 and data.seed={seed} at least 0")


def _prepare(root: Path, recipe: TrafficRecipe, write: Callable[[Path, TrafficRecipe], None]) -> None:
    path = root / MANIFEST
    if path.is_file():
        stored = json.loads(path.read_text(encoding="utf-8")).get("recipe")
        if stored != asdict(recipe):
            raise DataError(
                f"{root} holds traffic made with {stored}, asked for is {asdict(recipe)}; delete that folder or set "
                "data.root to another one"
            )
        return
    if (root / "train").exists():
        say(f"{root} holds traffic without a manifest: its making was cut off, starting again")
    say(f"making up {recipe.train} + {recipe.val} traffic scenes in {root}")
    write(root, recipe)
    write_json(
        path, {"synthetic": True, "counts": {"train": recipe.train, "val": recipe.val}, "recipe": asdict(recipe)}
    )
