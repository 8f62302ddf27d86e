"""Time of one training step of the quick start, by part and by block.

  python benchmarks/train_step.py                 (about a minute)
  python benchmarks/train_step.py --steps 20 --encoder point_bert

A step is forward, backward and AdamW on 32 clouds of 1,024 points. All blocks run in one process, interleaved; the peer
of every ratio is the same model with block=identity (no language model) in the same run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from measure import circumstances, interleaved
from rich.console import Console
from rich.table import Table

from geo_lm4ve.create import create_model
from geo_lm4ve.files import write_json
from geo_lm4ve.points.batch import PointBatch

RESULTS = Path(__file__).parent / "results" / "train_step.json"
BLOCKS = ("identity", "mlp", "random_frozen", "smollm2_135m")
BATCH, POINTS, CLASSES = 32, 1024, 38


def step(encoder: str, block: str) -> Callable[[], None]:
    """One training step on a fixed batch."""
    torch.manual_seed(0)
    model = create_model(encoder, num_classes=CLASSES, block=block).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    batch = PointBatch(torch.randn(BATCH, POINTS, 3), torch.randint(CLASSES, (BATCH,)), torch.arange(BATCH))

    def run() -> None:
        loss = torch.nn.functional.cross_entropy(model(batch), batch.labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="point_bert_tiny", help="encoder option")
    parser.add_argument("--steps", type=int, default=15, help="timed steps per block")
    arguments = parser.parse_args()
    times = interleaved({block: step(arguments.encoder, block) for block in BLOCKS}, arguments.steps)
    rows = {
        block: {"median_s": median, "samples_per_s": BATCH / median, "ratio_to_identity": median / times["identity"]}
        for block, median in times.items()
    }
    table = Table("block", "ms per step", "samples/s", "ratio to identity", title=f"{arguments.encoder}, batch {BATCH}")
    for block, row in rows.items():
        table.add_row(
            block, f"{1000 * row['median_s']:.0f}", f"{row['samples_per_s']:.0f}", f"{row['ratio_to_identity']:.2f}"
        )
    Console().print(table)
    facts = {"encoder": arguments.encoder, "batch": BATCH, "circumstances": circumstances()}
    write_json(RESULTS, {**facts, "blocks": rows})


if __name__ == "__main__":
    main()
