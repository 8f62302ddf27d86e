"""Fit a linear classifier on the features of a trained or untrained encoder (linear probing).

  geo-lm4ve probe runs/modelnet40_pretrain/20260101-120000-0
  geo-lm4ve probe runs/modelnet40_pretrain/20260101-120000-0 --untrained
      the control: the same encoder with fresh weights
  geo-lm4ve probe runs/modelnet40_pretrain/20260101-120000-0 data=point_folder data.root=MY_CLOUDS
      another data set than it was trained on
  geo-lm4ve probe configs/modelnet40_llama.yaml encoder=point_mae block=identity run.checkpoint=pretrain.pth
      --pool groups:mean groups:max

A run of classification or pre-training, or an experiment file with run.checkpoint=. The encoder (and the block, if
there is one) stays as it is; features of every cloud, unmasked, without augmentation and standardised, go into
scikit-learn's LinearSVC (pip install 'geo_lm4ve[probe]'). Its C is the one of 0.00001, 0.0001, ..., 10 that does best
on the held-out part of train; the classifier is then fitted on all of train and scored on the test split once. Prints
overall and mean class accuracy, and writes them with their circumstances as JSON: for a run to RUN/linear_probe.json
(with --untrained RUN/linear_probe_untrained.json), else where --out says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.commands import parser


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("probe", __doc__, settings=True)
    options.add_argument("experiment", type=Path, metavar="RUN|EXPERIMENT", help="run folder, or an experiment file")
    options.add_argument("changes", nargs="*", metavar="key=value", help="changes to it, as in geo-lm4ve train")
    options.add_argument("--untrained", action="store_true", help="fresh weights, by the seed of the experiment")
    options.add_argument(
        "--pool", nargs="+", default=[], metavar="SPAN:HOW",
        help="tokens that make the features, by first, max or mean (default: what the classification head reads; after "
        "pre-training groups:mean groups:max, since no class token was trained)",
    )  # fmt: skip
    options.add_argument("--out", type=Path, metavar="FILE.json", help="where to write the result")
    given = options.parse_intermixed_args(arguments)
    from geo_lm4ve import cli
    from geo_lm4ve.classification.probe import probe

    experiment, run = cli.load(given.experiment, given.changes)
    probe(experiment, run, pool=given.pool, untrained=given.untrained, out=given.out)
