"""The commands that are killed: training, preparing, caching, evaluating, downloading."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from process import ROOT, tool, tool_in_two
from server import CONTENT
from small_runs import PRETRAINING, experiment, write_folder

from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text


@dataclass(frozen=True)
class Scenario:
    """A command that may be killed.

    Attributes:
        name: on the command line and in the table.
        begin: puts what the command needs into an empty folder; it is not killed.
        run: the command, given the folder; run again, it takes up what the killed one has left.
        share: kills of it, as a part of those asked for.
        quick: a kill or two of it run with the tests.
    """

    name: str
    begin: Callable[[Path], None]
    run: Callable[[Path], None]
    share: float = 1.0
    quick: bool = True


def _small(folder: Path) -> None:
    changes = {"optim": {"epochs": 6, "batch_size": 8, "ema_decay": 0.9}, "run": {"checkpoint_steps": 2}}
    write_text(folder / "small.yaml", to_yaml(experiment(folder, **changes)))


def _train(folder: Path, *, run: Callable[..., None] = tool, first: tuple[str, ...] = ("small.yaml",)) -> None:
    """A new run, or on with the one that is there."""
    runs = sorted(path.parent for path in folder.glob("runs/*/*/config.yaml"))
    run("train", *((runs[-1],) if runs else (folder / first[0], *first[1:])))


def _train_in_two(folder: Path) -> None:
    _train(folder, run=tool_in_two)


def _solids(folder: Path) -> None:
    from geo_lm4ve.points.solids.source import SyntheticSolidsConfig

    SyntheticSolidsConfig(root=str(folder / "data"), train=76, test=38).build()
    text = (ROOT / "configs" / "quickstart.yaml").read_text()
    write_text(folder / "quickstart.yaml", text)


def _quickstart(folder: Path) -> None:
    sizes = ("data.train=76", "data.test=38", "optim.epochs=2", "optim.batch_size=16", "run.checkpoint_steps=1")
    places = (f"data.root={folder / 'data'}", f"run.root={folder / 'runs'}")
    _train(
        folder,
        first=(
            "quickstart.yaml",
            *sizes,
            *places,
            "run.pictures=false",
            "run.select_on=test",
            "encoder.num_groups=16",
            "encoder.group_size=8",
        ),
    )


def _prepare(folder: Path) -> None:
    from geo_lm4ve.points.solids.source import SyntheticSolidsConfig

    SyntheticSolidsConfig.train, SyntheticSolidsConfig.test = 114, 76
    SyntheticSolidsConfig.__init__.__defaults__ = tuple(
        {1600: 114, 400: 76}.get(value, value) if type(value) is int else value
        for value in SyntheticSolidsConfig.__init__.__defaults__
    )
    tool("prepare", "synthetic_solids", "--root", folder / "solids")


def _images(folder: Path) -> None:
    sizes = ("--train", 4, "--val", 1, "--test", 1, "--pixels", 32)
    tool("prepare", "synthetic_images", *sizes, "--root", folder / "images")


def _meshes(folder: Path) -> None:
    import numpy as np
    import trimesh

    from geo_lm4ve.geometry.solids.classes import SOLIDS

    for kind in list(SOLIDS)[:3]:
        (folder / "meshes" / kind).mkdir(parents=True)
        for number in range(20):
            mesh = SOLIDS[kind](np.random.default_rng(number))
            path = folder / "meshes" / kind / f"{number}.{('off', 'stl', 'obj')[number % 3]}"
            trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(path)
    (folder / "meshes" / kind / "broken.off").write_text("OFF 3 1 0")


def _folder(folder: Path) -> None:
    from geo_lm4ve.points.prepare import shards

    shards.SHARD = 6  # several files of few clouds
    places = (folder / "meshes", "--out", folder / "prepared")
    tool("prepare", "folder", *places, "--workers", 1, "--test-fraction", 0.4)


def _clouds(folder: Path) -> None:
    write_folder(folder / "data", train=60, test=30, points=400)


def _fps_order(folder: Path) -> None:
    from geo_lm4ve.options import load_option

    load_option("data", "point_folder", {"root": str(folder / "data"), "points": 256}).build()


def _scans(folder: Path) -> None:
    from scans import Asking, write_scan

    asked = Asking()
    for number in range(20):
        write_scan(folder / "scans", f"scene{number:04}_00")
        asked.ask(f"scene{number:04}_00", ["chair"], [1])
    asked.scanqa(folder / "qa", "train")


def _rooms(folder: Path) -> None:
    places = ("--from", folder / "qa", "--scans", folder / "scans", "--root", folder / "rooms")
    tool("prepare", "scanqa", *places, "--workers", 1)


def _scenes(folder: Path) -> None:
    from geo_lm4ve.traffic.synthetic.source import SyntheticTrafficConfig

    SyntheticTrafficConfig(root=str(folder / "traffic"), train=48, val=16).prepare()


def _scene_cache(folder: Path) -> None:
    from geo_lm4ve.traffic.cache import build
    from geo_lm4ve.traffic.synthetic.source import SyntheticTrafficConfig

    build.SHARD = 6  # several shards of few scenes
    data = SyntheticTrafficConfig(root=str(folder / "traffic"), train=48, val=16).build()
    for split in ("train", "val"):
        data.split(split)


def _trained(folder: Path) -> None:
    _small(folder)
    _train(folder)


def _evaluate(folder: Path) -> None:
    (run,) = {path.parent for path in folder.glob("runs/*/*/config.yaml")}
    tool("evaluate", run, "task.votes=8")


def _pretraining(folder: Path) -> None:
    changes = {**PRETRAINING, "optim": {"epochs": 6, "batch_size": 8}, "run": {"checkpoint_steps": 2}}
    write_text(folder / "small.yaml", to_yaml(experiment(folder, **changes)))


def _probe(folder: Path) -> None:
    (run,) = {path.parent for path in folder.glob("runs/*/*/config.yaml")}
    tool("probe", run)


def _nothing(folder: Path) -> None:
    pass


def _download(folder: Path) -> None:
    """From a server of its own that takes a second for the file and knows ranges."""
    from geo_lm4ve.prepare.download import download

    command = [sys.executable, Path(__file__).with_name("server.py")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    try:
        download([f"http://127.0.0.1:{port}/file.bin"], folder / "file.bin", md5, pause=0.1)
    finally:
        server.kill()
        server.wait()


SCENARIOS = (
    Scenario("train", _small, _train),
    Scenario("train in 2 processes", _small, _train_in_two, share=0.1, quick=False),
    Scenario("train the quick start", _solids, _quickstart, share=0.5, quick=False),
    Scenario("prepare solids", _nothing, _prepare),
    Scenario("prepare images", _nothing, _images),
    Scenario("prepare a folder", _meshes, _folder),
    Scenario("prepare rooms", _scans, _rooms),
    Scenario("order of points", _clouds, _fps_order),
    Scenario("scene cache", _scenes, _scene_cache),
    Scenario("evaluate", _trained, _evaluate),
    Scenario("pre-train", _pretraining, _train, share=0.3, quick=False),
    Scenario("probe", _trained, _probe, share=0.3, quick=False),
    Scenario("download", _nothing, _download),
)
