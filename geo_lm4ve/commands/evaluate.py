"""Score a trained run, or an experiment with given weights.

  geo-lm4ve evaluate runs/quickstart/20260101-120000-0
  geo-lm4ve evaluate runs/quickstart/20260101-120000-0 run.split=val task.votes=10
  geo-lm4ve evaluate configs/modelnet40_llama.yaml run.checkpoint=modelnet_1k.pth block=identity

Predictions of any other model, by the protocol that scores them (--predictions --help lists all, with --protocol NAME
that one):

  geo-lm4ve evaluate --predictions FILE.h5|FILE.parquet --data SPLIT_DIR --protocol av1|av2 [--out FILE.json]
  geo-lm4ve evaluate --predictions FILE --data ANNOTATIONS.json --protocol scanqa|sqa3d[:VARIANT|:all]
  geo-lm4ve evaluate --predictions RUN --protocol imagenet_c      (evaluations of a run as one table)

Prints a table and writes results.json, predictions.jsonl and pictures, for a run into RUN/evaluations/. Every sample is
scored exactly once however many processes work (accelerate launch, torchrun). What was published of an official file
stands beside its score where all conditions are the published ones; where not, those that differ are named.
"""

from __future__ import annotations

from collections.abc import Sequence

from geo_lm4ve.usage import usage, wants_help


def main(arguments: Sequence[str]) -> int | None:
    """Run the command."""
    if any(argument.split("=")[0] == "--predictions" for argument in arguments):
        from geo_lm4ve.parts import scorer

        return scorer.main(arguments)
    if wants_help(arguments):
        print(usage("evaluate", __doc__ or ""))
        return None
    from geo_lm4ve.arguments import divided

    experiment, rest = divided(arguments, "evaluate")
    from geo_lm4ve import cli
    from geo_lm4ve.engine.evaluate import evaluate

    cli.run(evaluate, experiment, rest)
    return None
