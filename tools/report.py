"""Compare runs: one table of mean ± std over seeds, with how the numbers were made.

Every finished run below RUNS_DIR counts once. Runs that differ only in their seed share a row; what else differs makes
the rows (--by says otherwise). Mixed commits, data, protocols or sample counts are flagged, unfinished runs are named.

  python tools/report.py runs/quickstart
  python tools/report.py runs --by block --baseline identity --metrics overall_accuracy mean_class_accuracy
  python tools/report.py runs --by block optim.lr --out ablation.md ablation.csv ablation.json
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from geo_lm4ve.compare.comparison import compare
from geo_lm4ve.compare.output import print_comparison, write_comparison
from geo_lm4ve.compare.runs import collect
from geo_lm4ve.files import UserError
from geo_lm4ve.words import failure


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUNS_DIR", help="folder of all runs, of one experiment, or of one run")
    parser.add_argument(
        "--by", nargs="+", default=[], metavar="KEY",
        help="settings that make the rows: a group (block, encoder, ...) or a dotted key (optim.lr, block.layers)",
    )  # fmt: skip
    parser.add_argument("--metrics", nargs="+", default=[], metavar="NAME", help="columns; default: all there are")
    parser.add_argument(
        "--baseline", metavar="VALUE",
        help="compare with the row that has this value (e.g. identity): difference, standard error, 95 %% interval",
    )  # fmt: skip
    parser.add_argument(
        "--out", nargs="+", default=[], metavar="FILE", help="also write FILE.md, FILE.csv and/or FILE.json"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    comparison = compare(collect(options.runs), options.by, options.metrics, options.baseline)
    print_comparison(comparison, Console(width=None if sys.stdout.isatty() else 200))
    for path in options.out:
        write_comparison(comparison, path)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(failure(error))
