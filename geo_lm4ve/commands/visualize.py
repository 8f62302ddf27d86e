"""Draw point clouds, a run's predictions, or the training curves of several runs.

geo-lm4ve visualize chair.off scan.ply
    clouds.png and clouds.html (turn it with the mouse)
geo-lm4ve visualize *.off --predictions p.json
    the same, with the classes that geo-lm4ve predict --out wrote
geo-lm4ve visualize runs/quickstart/20260101-120000-0
    the run's pictures again: confusion matrix, contact sheet, report.html (the data must be there, the model need not)
geo-lm4ve visualize runs/argoverse1_vectornet_llama/20260101-120000-0 --activation magnitude
    activation.html: how much each agent's and lane's token stands out after (--probe before: before) the frozen block,
    on the map; on scans from above for questions, on patches for images
geo-lm4ve visualize runs/a/... runs/b/... --metrics overall_accuracy
    curves.png: loss, metrics and learning rate side by side
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.commands import parser
from geo_lm4ve.files import UserError
from geo_lm4ve.words import line


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("visualize", __doc__)
    options.add_argument(
        "paths", type=Path, nargs="+", metavar="FILE|RUN", help="point cloud or mesh files, or run folders"
    )
    options.add_argument("--out", type=Path, help="folder for the pictures (default: the one run, else pictures/)")
    options.add_argument("--predictions", type=Path, help="JSON written by predict --out, for FILEs")
    options.add_argument("--metrics", nargs="+", default=["accuracy"], help="for several RUNs: endings of metric names")
    options.add_argument(
        "--activation", choices=("magnitude", "frequency"), help="of a RUN's tokens, drawn on its samples"
    )
    options.add_argument("--probe", choices=("before", "after"), default="after", help="the bridge, for --activation")
    options.add_argument("--scenes", type=int, default=24, help="how many samples, for --activation")
    for path in draw(options.parse_args(arguments)):
        print(line(path))


def draw(given: argparse.Namespace) -> list[Path]:
    """Draw what the paths are; returns the files written."""
    runs = [path for path in given.paths if path.is_dir()]
    if runs and len(runs) < len(given.paths):
        raise UserError("give either files or run folders, not both")
    if len(runs) == 1:
        return draw_run(given, runs[0])
    out = given.out or Path("pictures")
    if runs:
        from geo_lm4ve.viz.logs import draw_logs

        return draw_logs(runs, out, given.metrics)
    from geo_lm4ve.parts.drawer import draw_files

    return draw_files(given.paths, out, given.predictions)


def draw_run(given: argparse.Namespace, run: Path) -> list[Path]:
    """Draw one run again, or the activation of its tokens; returns the files written."""
    from geo_lm4ve import cli  # seconds of imports that --help and logs do not need
    from geo_lm4ve.engine.redraw import redraw

    experiment, _ = cli.load(run)
    out = given.out or run
    if given.activation is None:
        return redraw(experiment, run, out)
    choice = {"activation": given.activation, "probe": given.probe, "count": given.scenes}
    return experiment.task.show(experiment, run, out, **choice)
