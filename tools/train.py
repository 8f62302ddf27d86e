"""Train an experiment, or go on with an interrupted run.

  python tools/train.py configs/quickstart.yaml
  python tools/train.py configs/modelnet40_llama.yaml block=smollm2_135m optim.epochs=20
  python tools/train.py configs/quickstart.yaml -m seed=0,1,2 block=identity,smollm2_135m
  python tools/train.py runs/quickstart/20260101-120000-0          (resume)
  accelerate launch --num_processes 4 tools/train.py configs/modelnet40_llama.yaml
  torchrun --nproc_per_node 4 tools/train.py configs/modelnet40_llama.yaml

Everything a run makes lands in runs/<experiment>/<time>-<seed>/: config.yaml (runs again as it is), environment.json,
metrics.jsonl, checkpoints/ (without the frozen block), results.json, predictions.jsonl and pictures. A run that is
killed at any point goes on with `python tools/train.py RUN`; Ctrl-C saves first.
"""

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve import cli
from geo_lm4ve.engine.train import train

if __name__ == "__main__":
    cli.run(train, __doc__)
