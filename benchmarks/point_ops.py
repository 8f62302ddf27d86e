"""Point operations against each other: time, and how many rows have the reference's indices.

  python benchmarks/point_ops.py                    (about two minutes)
  python benchmarks/point_ops.py --repeats 1 --sizes 1024:64

Farthest point sampling: plain torch with (b, n, 3) temporaries, this package's plain torch, torch-quickfps (what this
package uses when it is installed), fpsample if installed. kNN: torch.cdist and the expanded |a|^2 - 2ab + |b|^2 against
this package's differences. Batches of 32 normal clouds.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable
from pathlib import Path

import torch
from measure import circumstances, interleaved
from rich.console import Console
from rich.table import Table
from torch import Tensor

from geo_lm4ve.files import write_json
from geo_lm4ve.geometry import kernels
from geo_lm4ve.geometry import reference as plain
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.neighbours import knn
from geo_lm4ve.geometry.sampling import farthest_point_sample

RESULTS = Path(__file__).parent / "results" / "point_ops.json"
BATCH, NEIGHBOURS = 32, 32
Row = dict[str, object]


def naive_fps(points: Tensor, count: int) -> Tensor:
    """The loop as it is usually written."""
    nearest = torch.full(points.shape[:2], torch.inf)
    chosen = [torch.zeros(len(points), dtype=torch.long)]
    for _ in range(count - 1):
        last = points[torch.arange(len(points)), chosen[-1]][:, None]
        nearest = torch.minimum(nearest, (points - last).square().sum(-1))
        chosen.append(nearest.argmax(1))
    return torch.stack(chosen, 1)


def fpsample_vanilla(points: Tensor, count: int) -> Tensor:
    import fpsample

    found = [fpsample.fps_sampling(cloud.numpy(), count, start_idx=0) for cloud in points]
    return torch.stack([torch.from_numpy(indices.astype("int64")) for indices in found])


def fps_contenders(points: Tensor, count: int) -> dict[str, Callable[[], Tensor]]:
    contenders = {
        "torch, (b, n, 3) temporaries": lambda: naive_fps(points, count),
        "geo_lm4ve, plain torch": lambda: plain.farthest_point_sample(points, count, 0, 0.0),
    }
    if importlib.util.find_spec("fpsample"):
        contenders["fpsample, vanilla"] = lambda: fpsample_vanilla(points, count)
    chosen = kernels.choose("farthest_point_sample").implementation
    contenders[f"geo_lm4ve, chosen: {chosen}"] = lambda: farthest_point_sample(points, count)
    return contenders


def knn_contenders(queries: Tensor, points: Tensor) -> dict[str, Callable[[], Tensor]]:
    def expanded() -> Tensor:
        squared = queries.square().sum(-1)[..., None] + points.square().sum(-1)[:, None] - 2 * queries @ points.mT
        return squared.topk(NEIGHBOURS, largest=False).indices

    return {
        "torch.cdist + topk": lambda: torch.cdist(queries, points).topk(NEIGHBOURS, largest=False).indices,
        "expanded products + topk": expanded,
        "geo_lm4ve, differences + topk": lambda: knn(queries, points, NEIGHBOURS),
    }


def compare(op: str, size: str, contenders: dict[str, Callable[[], Tensor]], truth: Tensor, repeats: int) -> list[Row]:
    seconds = interleaved(contenders, repeats)
    rows: list[Row] = []
    for name, call in contenders.items():
        same = (call() == truth).flatten(1).all(1).float().mean().item()
        rows.append({"op": op, "size": size, "implementation": name, "ms": round(1e3 * seconds[name], 2), "same": same})
    return rows


def measure(sizes: list[str], repeats: int) -> list[Row]:
    rows: list[Row] = []
    for size in sizes:
        points_count, count = map(int, size.split(":"))
        points = torch.randn(BATCH, points_count, 3, generator=torch.Generator().manual_seed(points_count))
        truth = plain.farthest_point_sample(points, count, 0, 0.0)
        rows += compare("fps", size, fps_contenders(points, count), truth, repeats)
        queries = gather(points, truth)
        exact = plain.knn(queries.double(), points.double(), NEIGHBOURS)
        rows += compare("knn", size, knn_contenders(queries, points), exact, repeats)
    return rows


def table(rows: list[Row]) -> Table:
    shown = Table(
        "operation", "n:k", "implementation", "ms", "rows equal", title=f"batch of {BATCH}, k={NEIGHBOURS} for kNN"
    )
    for row in rows:
        shown.add_row(row["op"], row["size"], row["implementation"], f"{row['ms']:.1f}", f"{100 * row['same']:.0f} %")
    return shown


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", nargs="+", default=["1024:64", "2048:512", "8192:512"], metavar="N:K")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--out", type=Path, default=RESULTS, help="JSON with the figures")
    arguments = options.parse_args()
    rows = measure(arguments.sizes, arguments.repeats)
    Console().print(table(rows))
    write_json(arguments.out, {"circumstances": circumstances(), "repeats": arguments.repeats, "rows": rows})


if __name__ == "__main__":
    main()
