"""Score a trained run, or an experiment with given weights.

  python tools/evaluate.py runs/quickstart/20260101-120000-0
  python tools/evaluate.py runs/quickstart/20260101-120000-0 run.split=val task.votes=10
  python tools/evaluate.py configs/modelnet40_llama.yaml run.checkpoint=modelnet_1k.pth block=identity

Predictions of any other model, by the protocol that scores them (--predictions --help lists all, with --protocol NAME
that one):

  python tools/evaluate.py --predictions FILE.h5|FILE.parquet --data SPLIT_DIR --protocol av1|av2 [--out FILE.json]

Prints a table and writes results.json, predictions.jsonl and pictures, for a run into RUN/evaluations/. Every sample is
scored exactly once however many processes work (accelerate launch, torchrun).
"""

import sys

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve import cli
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.parts import scorer

if __name__ == "__main__":
    if any(argument.split("=")[0] == "--predictions" for argument in sys.argv[1:]):
        raise SystemExit(scorer.main(sys.argv[1:]))
    cli.run(evaluate, __doc__)
