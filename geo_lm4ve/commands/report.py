"""Compare runs: one table of mean ± std over seeds, with how the numbers were made.

Every finished run below RUNS_DIR counts once. Runs that differ only in their seed share a row; what else differs makes
the rows (--by says otherwise). Mixed commits, data, protocols or sample counts are flagged, unfinished runs are named.

  geo-lm4ve report runs/quickstart
  geo-lm4ve report runs --by block --baseline identity --metrics overall_accuracy mean_class_accuracy
  geo-lm4ve report runs --by block optim.lr --out ablation.md ablation.csv ablation.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from geo_lm4ve.commands import parser


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("report", __doc__)
    options.add_argument("runs", metavar="RUNS_DIR", help="folder of all runs, of one experiment, or of one run")
    options.add_argument(
        "--by", nargs="+", default=[], metavar="KEY",
        help="settings that make the rows: a group (block, encoder, ...) or a dotted key (optim.lr, block.layers)",
    )  # fmt: skip
    options.add_argument("--metrics", nargs="+", default=[], metavar="NAME", help="columns; default: all there are")
    options.add_argument(
        "--baseline", metavar="VALUE",
        help="compare with the row that has this value (e.g. identity): difference, standard error, 95 %% interval",
    )  # fmt: skip
    options.add_argument(
        "--out", nargs="+", default=[], metavar="FILE", help="also write FILE.md, FILE.csv and/or FILE.json"
    )
    given = options.parse_args(arguments)
    from rich.console import Console

    from geo_lm4ve.compare.comparison import compare
    from geo_lm4ve.compare.output import print_comparison, write_comparison
    from geo_lm4ve.compare.runs import collect

    comparison = compare(collect(given.runs), given.by, given.metrics, given.baseline)
    print_comparison(comparison, Console(width=None if sys.stdout.isatty() else 200))
    for path in given.out:
        write_comparison(comparison, path)
