"""Small complete experiments for tests: four kinds of solids as point clouds, a tiny Point-BERT, any block."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.options import load_option

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("ball", "box", "disc", "rod")
STRETCH = {"ball": (1, 1, 1), "box": (1, 1, 1), "disc": (1, 1, 0.1), "rod": (0.1, 0.1, 1)}


def clouds(count: int, points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` clouds of each kind, in the unit ball."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(NAMES)), count)
    data = generator.normal(size=(len(labels), points, 3))
    order = np.where(labels == NAMES.index("box"), np.inf, 2)
    for row, label in enumerate(labels):
        data[row] /= np.linalg.norm(data[row], ord=order[row], axis=1, keepdims=True)
        data[row] *= STRETCH[NAMES[label]]
        data[row] /= np.linalg.norm(data[row], axis=1).max()
    return data.astype("f4"), labels.astype("u1")[:, None]


def write_folder(root: Path, train: int = 8, test: int = 5, points: int = 160) -> Path:
    """A data set in the layout of ModelNet40; counts are per class."""
    root.mkdir(parents=True)
    for split, count in (("train", train), ("test", test)):
        data, labels = clouds(count, points, seed=len(split))
        with h5py.File(root / f"ply_data_{split}0.h5", "w") as file:
            file["data"], file["label"] = data, labels
    (root / "shape_names.txt").write_text("\n".join(NAMES) + "\n")
    return root


SETTINGS = {
    "data": ("point_folder", {"points": 128, "val_fraction": 0.25}),
    "encoder": ("point_bert_tiny", {"num_groups": 8, "group_size": 8, "dim": 24, "encoder_dim": 24, "depth": 1}),
    "block": ("mlp", {"width": 32}),
    "bridge": ("linear", {}),
    "head": ("classification", {"hidden": [16]}),
    "task": ("classify", {}),
    "optim": ("short", {"epochs": 3, "batch_size": 8}),
    "run": ("default", {"pictures": False, "cost": False}),
}

PRETRAINING = {
    "encoder": ("point_bert_tiny_masked", SETTINGS["encoder"][1]),
    "block": ("identity", {}),
    "head": ("mask_decoder", {"depth": 1, "heads": 3}),
    "task": ("reconstruct", {"points": 8, "shown": 5}),
}
"""What makes masked point modelling of the small experiment; it has the encoder that the small classifier has."""


def experiment(folder: Path, seed: int = 0, **changes) -> ExperimentConfig:
    """The small experiment; ``changes`` maps a group to changed fields, or to (option, fields)."""
    if not (folder / "data").exists():
        write_folder(folder / "data")
    parts = {}
    for group, (option, values) in SETTINGS.items():
        change = changes.get(group, {})
        option, change = change if isinstance(change, tuple) else (option, {**values, **change})
        if group == "data":
            change = {"root": str(folder / "data"), **change}
        if group == "run":
            change = {"root": str(folder / "runs"), **change}
        parts[group] = load_option(group, option, change)
    return ExperimentConfig(name="small", seed=seed, **parts)


def command(*arguments: object, processes: int = 0, **more) -> subprocess.CompletedProcess:
    """Run ``python tools/...`` (or torchrun) as a user would, from the repository root, and collect its output."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    launcher = [sys.executable]
    if processes:
        launcher += ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    return subprocess.run(
        [*launcher, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        **more,
    )


def tool(capsys: pytest.CaptureFixture[str], name: str, *arguments: object) -> tuple[int, str, str]:
    """Run ``python tools/<name>.py arguments`` in this process; returns (exit code, stdout, stderr)."""
    before = sys.argv
    sys.argv = [str(ROOT / "tools" / f"{name}.py"), *map(str, arguments)]
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    finally:
        sys.argv = before
    shown = capsys.readouterr()
    return code, shown.out, shown.err
