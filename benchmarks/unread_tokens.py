"""One training step of a forecaster that computes only the tokens its head reads, against one that computes all.

  python benchmarks/unread_tokens.py                                   (a minute; synthetic traffic, made if missing)
  python benchmarks/unread_tokens.py --data argoverse1 --root datasets/argoverse1/raw

VectorNet's head reads agents; lanes then only give keys and values to the frozen layer. Both contenders are the same
model on the same 32 scenes, forward and backward, interleaved in one process, on one thread (CPU time); that they give
the same forecasts is checked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from measure import circumstances, interleaved
from rich.console import Console

from geo_lm4ve.create import create_model
from geo_lm4ve.files import write_json
from geo_lm4ve.options import load_option
from geo_lm4ve.traffic.source import SceneConfig

RESULTS = Path(__file__).parent / "results" / "unread_tokens.json"
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic_traffic", help="data option")
    parser.add_argument("--root", help="where the data set is, if not at its usual place")
    parser.add_argument("--encoder", default="vectornet_small", help="encoder option")
    parser.add_argument("--block", default="smollm2_135m", help="block option")
    parser.add_argument("--repeats", type=int, default=5, help="timed steps of each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = cast(SceneConfig, load_option("data", arguments.data, {"root": arguments.root} if arguments.root else {}))
    batch = config.build().split("train").batch(torch.arange(BATCH))
    model = create_model(arguments.encoder, block=arguments.block, num_classes=config.layout.future).train()

    def every_token() -> Any:
        return model.head(model.tokens(batch))

    def step(forecast: Callable[[], Any]) -> Callable[[], None]:
        return lambda: forecast().agents.positions.square().mean().backward()

    with torch.no_grad():
        torch.testing.assert_close(model(batch).positions, every_token().positions, rtol=1e-3, atol=1e-3)
        tokens = model.tokens(batch)
    contenders = {"all tokens": step(every_token), "tokens that are read": step(lambda: model(batch))}
    times = interleaved(contenders, arguments.repeats, clock=time.process_time)
    ratio = times["all tokens"] / times["tokens that are read"]
    agents = tokens.valid[:, tokens.span("agents")].sum() / BATCH
    facts = {
        "data": arguments.data,
        "encoder": arguments.encoder,
        "block": arguments.block,
        "tokens_per_scene": float(tokens.valid.sum() / BATCH),
        "read_per_scene": float(agents),
        "padded_to": tokens.valid.shape[1],
    }
    Console().print(facts, {name: f"{seconds:.3f} s" for name, seconds in times.items()}, f"ratio {ratio:.2f}")
    write_json(RESULTS, {**facts, "seconds": times, "ratio": ratio, "circumstances": circumstances()})


if __name__ == "__main__":
    main()
