"""Forecasting metrics over a whole split at once against scene by scene: the 39,472 scenes of Argoverse 1 val, K = 6.

  python benchmarks/forecast_metrics.py             (about a minute on one core)
  python benchmarks/forecast_metrics.py --scenes 5000 --repeats 3

All contenders compute minADE, minFDE, MR and their p- and brier- variants (protocol av1), and the results are compared.
"numpy per scene" is what most evaluation scripts do: arrays over the modes of a scene, a Python loop over scenes.
"points in Python" also loops over modes and points, as the official code of Argoverse 1 does. Protocol av2 has to read
all trajectories, av1 only their ends and the best one; "av2 package" calls the five functions of av2 for every scene
(the p- metrics, which it lacks, are left to ours).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from measure import circumstances, interleaved
from rich.console import Console
from rich.table import Table

from geo_lm4ve.files import write_json
from geo_lm4ve.traffic.metrics.forecasting import forecast_metrics, metric_names
from geo_lm4ve.traffic.protocol import Protocol

RESULTS = Path(__file__).parent / "results" / "forecast_metrics.json"
STEPS, MODES, CEILING = 30, 6, -math.log(0.05)
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Means = dict[str, float]


def made_up(scenes: int) -> Arrays:
    """Smooth random trajectories in float64, and probabilities."""
    random = np.random.default_rng(0)
    truth = random.normal(0, 0.7, (scenes, STEPS, 2)).cumsum(1)
    positions = truth[:, None] + random.normal(0, 0.5, (scenes, MODES, STEPS, 2)).cumsum(2)
    return positions, truth, random.dirichlet(np.ones(MODES), scenes)


def batched(arrays: Arrays, protocol: Protocol) -> Means:
    positions, truth, p = (torch.from_numpy(array) for array in arrays)
    values = forecast_metrics(positions, truth, p, protocol=protocol, k=MODES)
    return {name: float(column.mean()) for name, column in values.items()}


def numpy_per_scene(positions: np.ndarray, truth: np.ndarray, p: np.ndarray) -> tuple[float, ...]:
    kept = np.argsort(-p, kind="stable")[:MODES]
    modes, weights = positions[kept], p[kept] / p[kept].sum()
    final = np.linalg.norm(modes[:, -1] - truth[-1], axis=-1)
    best = final.argmin()
    return _values(np.linalg.norm(modes[best] - truth, axis=-1).mean(), final[best], weights[best])


def points_in_python(positions: np.ndarray, truth: np.ndarray, p: np.ndarray) -> tuple[float, ...]:
    kept = np.argsort(-p, kind="stable")[:MODES]
    total, least, best = sum(p[kept]), float("inf"), 0
    for mode in kept:
        x, y = positions[mode, -1] - truth[-1]
        if math.sqrt(x**2 + y**2) < least:
            least, best = math.sqrt(x**2 + y**2), mode
    steps = ((positions[best, t, 0] - truth[t, 0], positions[best, t, 1] - truth[t, 1]) for t in range(STEPS))
    return _values(sum(math.sqrt(x**2 + y**2) for x, y in steps) / STEPS, least, p[best] / total)


def _values(ade: float, fde: float, p: float) -> tuple[float, ...]:
    penalty, missed = min(-math.log(p), CEILING), float(fde > 2.0)
    probability_missed = 1.0 if missed else 1.0 - p
    return ade, fde, missed, ade + penalty, fde + penalty, probability_missed, ade + (1 - p) ** 2, fde + (1 - p) ** 2


def over_scenes(arrays: Arrays, score: Callable[..., tuple[float, ...]]) -> Means:
    rows = [score(*scene) for scene in zip(*arrays, strict=True)]
    return dict(zip(metric_names(Protocol.av1), np.mean(rows, axis=0).tolist(), strict=True))


def av2_package(arrays: Arrays) -> Means:
    from av2.datasets.motion_forecasting.eval import metrics

    rows = []
    for positions, truth, p in zip(*arrays, strict=True):
        fde = metrics.compute_fde(positions, truth)
        ade, missed = metrics.compute_ade(positions, truth), metrics.compute_is_missed_prediction(positions, truth)
        brier_ade = metrics.compute_brier_ade(positions, truth, p)
        brier_fde = metrics.compute_brier_fde(positions, truth, p)
        rows.append((ade.min(), fde.min(), missed.min(), brier_ade[ade.argmin()], brier_fde[fde.argmin()]))
    names = ("minADE", "minFDE", "MR", "brier-minADE", "brier-minFDE")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def check(results: dict[str, Means], reference: Means) -> None:
    """All contenders of a protocol must agree."""
    for name, means in results.items():
        for metric, value in means.items():
            if not math.isclose(value, reference[metric], rel_tol=1e-9):
                raise SystemExit(f"{name}: {metric} is {value}, batched it is {reference[metric]}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scenes", type=int, default=39_472)
    options.add_argument("--repeats", type=int, default=5)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    arrays = made_up(arguments.scenes)
    first = {
        "geo_lm4ve, av1": lambda: batched(arrays, Protocol.av1),
        "numpy per scene": lambda: over_scenes(arrays, numpy_per_scene),
        "points in Python": lambda: over_scenes(arrays, points_in_python),
    }
    second: dict[str, Callable[[], Means]] = {"geo_lm4ve, av2": lambda: batched(arrays, Protocol.av2)}
    if importlib.util.find_spec("av2"):
        second["av2 package"] = lambda: av2_package(arrays)
    check({name: call() for name, call in first.items()}, batched(arrays, Protocol.av1))
    check({name: call() for name, call in second.items()}, batched(arrays, Protocol.av2))
    seconds = interleaved({**first, **second}, arguments.repeats, time.process_time)
    table = Table("contender", "CPU s", "against ours", title=f"{arguments.scenes:,} scenes x {MODES} x {STEPS}, K = 6")
    for name, value in seconds.items():
        ours = seconds["geo_lm4ve, av1" if name in first else "geo_lm4ve, av2"]
        table.add_row(name, f"{value:.4f}", f"{value / ours:.1f} x")
    Console().print(table)
    if arguments.scenes == options.get_default("scenes"):
        write_json(
            RESULTS,
            {
                "circumstances": circumstances(),
                "repeats": arguments.repeats,
                "scenes": arguments.scenes,
                "cpu_s": seconds,
            },
        )


if __name__ == "__main__":
    main()
