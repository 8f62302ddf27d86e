"""Training batches per second: clouds in memory against a DataLoader that prepares item by item.

  python benchmarks/loader.py                       (about two minutes)
  python benchmarks/loader.py --clouds 512 --repeats 3

All contenders give batches of 32 clouds of 1,024 points out of 2,048 with a random scale and shift of every cloud. The
peers hold the same clouds in memory too and do per item, in numpy, what the loaders of Point-BERT and OpenPoints do:
"first" takes the first 1,024 points and shuffles them; "fps" takes 1,200 farthest points and 1,024 random ones of them,
with torch-quickfps in place of the CUDA kernel, at every step. Ours takes 1,024 random ones of the 1,200 farthest
points, whose order it has computed once (the time for that is given too).

Then batches of 32 made-up traffic scenes, while nothing else happens and while a device is busy with each of them for
DEVICE seconds (the host sleeps): threads that make batches ahead should hide the making behind the device's work.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from measure import circumstances, interleaved
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from geo_lm4ve.data.loaders import TrainLoader
from geo_lm4ve.files import write_json
from geo_lm4ve.geometry.sampling import farthest_point_sample
from geo_lm4ve.parts.data import Loader
from geo_lm4ve.points.augment import ScaleAndShift
from geo_lm4ve.points.files import Clouds
from geo_lm4ve.points.loader import CloudSplit, Recipe
from geo_lm4ve.points.order import fps_order
from geo_lm4ve.traffic.synthetic.source import SyntheticTrafficConfig

OURS = "geo_lm4ve, in memory"
RESULTS = Path(__file__).parent / "results" / "loader.json"
BATCH, STORED, POOL, POINTS = 32, 2048, 1200, 1024
DEVICE = 0.03  # s


class Items(Dataset):
    """Clouds one by one, each prepared on its own."""

    def __init__(self, points: np.ndarray, labels: np.ndarray, farthest: bool):
        self.points, self.labels, self.farthest = points, labels, farthest

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, row: int) -> tuple[np.ndarray, int]:
        cloud = self.points[row]
        if self.farthest:
            pool = farthest_point_sample(torch.from_numpy(cloud)[None], POOL)[0].numpy()
            cloud = cloud[pool[np.random.choice(POOL, POINTS, replace=False)]]
        else:
            cloud = cloud[:POINTS].copy()
            np.random.shuffle(cloud)
        scale, shift = np.random.uniform(2 / 3, 3 / 2, 3), np.random.uniform(-0.2, 0.2, 3)
        return (cloud * scale + shift).astype(np.float32), int(self.labels[row])


def epoch(loader: DataLoader) -> Callable[[], None]:
    def run() -> None:
        for points, _ in loader:
            points.sum()

    return run


def own_epoch(loader: Loader, busy: float = 0.0) -> Callable[[], None]:
    def run() -> None:
        for _ in loader.batches(0):
            time.sleep(busy)

    return run


def measure(clouds: int, repeats: int, workers: list[int]) -> dict[str, object]:
    points = torch.randn(clouds, STORED, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(clouds) % 40
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        order = fps_order(points, POOL, Path(folder), "benchmark")
    once = time.perf_counter() - start
    stored = Clouds(points.gather(1, order[..., None].expand(-1, -1, 3)), labels)
    recipe = Recipe(POINTS, shuffle_points=True, augment=ScaleAndShift(2 / 3, 3 / 2, 0.2))
    contenders = {
        f"{OURS}, {count} workers": own_epoch(TrainLoader(CloudSplit(stored, recipe), batch_size=BATCH, workers=count))
        for count in workers
    }
    for farthest in (False, True):
        items = Items(points.numpy(), labels.numpy(), farthest)
        for count in workers:
            name = f"DataLoader, {'fps' if farthest else 'first'} item by item, {count} workers"
            loader = DataLoader(items, BATCH, shuffle=True, drop_last=True, num_workers=count)
            contenders[name] = epoch(loader)
    seconds = interleaved(contenders, repeats)
    served = clouds // BATCH * BATCH
    rates = {name: round(served / value) for name, value in seconds.items()}
    return {"clouds": clouds, "fps_order_once_s": round(once, 2), "samples_per_s": rates}


def measure_scenes(scenes: int, repeats: int, workers: list[int]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        contenders = {}
        for count in workers:
            config = SyntheticTrafficConfig(root=folder, train=scenes, val=1, workers=count)
            loader = config.build().loader("train", batch_size=BATCH, train=True, seed=0)
            contenders[f"{count} workers"] = own_epoch(loader)
            contenders[f"{count} workers, device busy for {1000 * DEVICE:.0f} ms"] = own_epoch(loader, DEVICE)
        seconds = interleaved(contenders, repeats)
    served = scenes // BATCH * BATCH
    return {"scenes": scenes, "scenes_per_s": {name: round(served / value) for name, value in seconds.items()}}


def table_of_scenes(result: dict[str, object]) -> Table:
    shown = Table("geo_lm4ve, from shards", "scenes/s", title="training batches of traffic, 32 scenes")
    for name, rate in result["scenes_per_s"].items():
        shown.add_row(name, f"{rate:,}")
    return shown


def table(result: dict[str, object]) -> Table:
    rates = result["samples_per_s"]
    ours = next(iter(rates.values()))
    shown = Table("loader", "samples/s", "first is faster by", title="training batches, 32 x 1,024 points")
    for name, rate in rates.items():
        shown.add_row(name, f"{rate:,}", f"{ours / rate:.1f}")
    return shown


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clouds", type=int, default=1024)
    options.add_argument("--scenes", type=int, default=320)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    options.add_argument("--out", type=Path, default=RESULTS, help="JSON with the figures")
    arguments = options.parse_args()
    result = {"circumstances": circumstances(), "repeats": arguments.repeats}
    result |= measure(arguments.clouds, arguments.repeats, arguments.workers)
    result |= measure_scenes(arguments.scenes, arguments.repeats, arguments.workers)
    console = Console()
    console.print(table(result))
    console.print(table_of_scenes(result))
    console.print(f"farthest point order of {result['clouds']} clouds, once: {result['fps_order_once_s']} s")
    write_json(arguments.out, result)


if __name__ == "__main__":
    main()
