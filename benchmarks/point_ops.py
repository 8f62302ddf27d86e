"""Point operations against each other: time, and in how many clouds all indices are those of the reference.

  python benchmarks/point_ops.py                    (some minutes)
  python benchmarks/point_ops.py --repeats 1 --sizes 1024:64

Farthest point sampling: plain torch with (b, n, 3) temporaries, this package's plain torch, torch-quickfps (what this
package uses when it is installed), fpsample if installed. kNN: torch.cdist and the expanded |a|^2 - 2ab + |b|^2 against
this package's differences and scipy's kd-tree, with the nearest 32 and the nearest 3 points; whether the package itself
takes the tree at this size stands behind it. Ball query: the first 32 points within 0.2 out of the sorted rows of
torch.cdist, against the same two. Batches of 32 normal clouds. The factor is against this package's plain
torch, in the same rounds.
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
from geo_lm4ve.geometry import kd_tree, kernels
from geo_lm4ve.geometry import reference as plain
from geo_lm4ve.geometry.grouping import gather
from geo_lm4ve.geometry.sampling import farthest_point_sample

RESULTS = Path(__file__).parent / "results" / "point_ops.json"
BATCH, NEIGHBOURS, RADIUS = 32, (32, 3), 0.2
PLAIN = "geo_lm4ve, plain torch"
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
        PLAIN: lambda: plain.farthest_point_sample(points, count, 0, 0.0),
    }
    if importlib.util.find_spec("fpsample"):
        contenders["fpsample, vanilla"] = lambda: fpsample_vanilla(points, count)
    chosen = kernels.choose("farthest_point_sample").implementation
    contenders[f"geo_lm4ve, chosen: {chosen}"] = lambda: farthest_point_sample(points, count)
    return contenders


def ball_contenders(queries: Tensor, points: Tensor, k: int) -> dict[str, Callable[[], Tensor]]:
    def sorted_rows() -> Tensor:
        index = torch.arange(points.shape[1]).expand(len(points), queries.shape[1], -1)
        hits = index.masked_fill(torch.cdist(queries, points) >= RADIUS, points.shape[1]).sort(-1).values[..., :k]
        return hits.where(hits < points.shape[1], hits[..., :1])

    tree = f"geo_lm4ve, kd-tree ({'' if kd_tree.pays_in_balls(points.shape[1], queries.shape[1]) else 'not '}taken)"
    return {
        "torch.cdist + sort": sorted_rows,
        PLAIN: lambda: plain.ball_query(queries, points, RADIUS, k),
        tree: lambda: kd_tree.ball_query(queries, points, RADIUS, k),
    }


def knn_contenders(queries: Tensor, points: Tensor, k: int) -> dict[str, Callable[[], Tensor]]:
    def expanded() -> Tensor:
        squared = queries.square().sum(-1)[..., None] + points.square().sum(-1)[:, None] - 2 * queries @ points.mT
        return squared.topk(k, largest=False).indices

    pays = kd_tree.pays(points.shape[1], queries.shape[1], k)
    return {
        "torch.cdist + topk": lambda: torch.cdist(queries, points).topk(k, largest=False).indices,
        "expanded products + topk": expanded,
        PLAIN: lambda: plain.nearest(queries, points, k)[1],
        f"geo_lm4ve, kd-tree ({'taken' if pays else 'not taken'})": lambda: kd_tree.nearest(queries, points, k)[1],
    }


def compare(op: str, size: str, contenders: dict[str, Callable[[], Tensor]], truth: Tensor, repeats: int) -> list[Row]:
    seconds = interleaved(contenders, repeats)
    rows: list[Row] = []
    for name, call in contenders.items():
        same = (call() == truth).flatten(1).all(1).float().mean().item()
        row = {"op": op, "size": size, "implementation": name, "ms": round(1e3 * seconds[name], 2), "same": same}
        rows.append({**row, "factor": round(seconds[PLAIN] / seconds[name], 2)})
    return rows


def measure(sizes: list[str], repeats: int) -> list[Row]:
    rows: list[Row] = []
    for size in sizes:
        points_count, count = map(int, size.split(":"))
        points = torch.randn(BATCH, points_count, 3, generator=torch.Generator().manual_seed(points_count))
        truth = plain.farthest_point_sample(points, count, 0, 0.0)
        rows += compare("fps", size, fps_contenders(points, count), truth, repeats)
        queries = gather(points, truth)
        exact = plain.nearest(queries.double(), points.double(), max(NEIGHBOURS))[1]
        for k in NEIGHBOURS:
            contenders = knn_contenders(queries, points, k)
            rows += compare(f"{k} nearest", size, contenders, exact[..., :k], repeats)
        truth = plain.ball_query(queries, points, RADIUS, NEIGHBOURS[0])
        rows += compare(f"ball {RADIUS}", size, ball_contenders(queries, points, NEIGHBOURS[0]), truth, repeats)
    return rows


def table(rows: list[Row]) -> Table:
    shown = Table(
        "operation",
        "n:m",
        "implementation",
        "ms",
        "factor",
        "clouds equal",
        title=f"batch of {BATCH}: n points, m taken",
    )
    for row in rows:
        figures = f"{row['ms']:.1f}", f"{row['factor']:.2f}", f"{100 * row['same']:.0f} %"
        shown.add_row(row["op"], row["size"], row["implementation"], *figures)
    return shown


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", nargs="+", default=["1024:64", "2048:512", "8192:512"], metavar="N:M")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--out", type=Path, default=RESULTS, help="JSON with the figures")
    arguments = options.parse_args()
    rows = measure(arguments.sizes, arguments.repeats)
    Console().print(table(rows))
    write_json(arguments.out, {"circumstances": circumstances(), "repeats": arguments.repeats, "rows": rows})


if __name__ == "__main__":
    main()
