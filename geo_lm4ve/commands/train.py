"""Train an experiment, or go on with an interrupted run.

  geo-lm4ve train configs/quickstart.yaml
  geo-lm4ve train configs/modelnet40_llama.yaml block=smollm2_135m optim.epochs=20
  geo-lm4ve train configs/quickstart.yaml -m seed=0,1,2 block=identity,smollm2_135m
  geo-lm4ve train runs/quickstart/20260101-120000-0          (resume)
  accelerate launch --num_processes 4 -m geo_lm4ve train configs/modelnet40_llama.yaml
  torchrun --nproc_per_node 4 -m geo_lm4ve train configs/modelnet40_llama.yaml

Everything a run makes lands in runs/<experiment>/<time>-<seed>/: config.yaml (runs again as it is), environment.json,
metrics.jsonl, checkpoints/ (without the frozen block), results.json, predictions.jsonl and pictures. A run that is
killed at any point goes on with `geo-lm4ve train RUN`; Ctrl-C saves first.
"""

from __future__ import annotations

from collections.abc import Sequence

from geo_lm4ve.usage import usage, wants_help


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    if wants_help(arguments):
        print(usage("train", __doc__ or ""))
        return
    from geo_lm4ve.arguments import divided

    experiment, rest = divided(arguments, "train")
    from geo_lm4ve import cli
    from geo_lm4ve.engine.train import train

    cli.run(train, experiment, rest)
