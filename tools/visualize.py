"""Draw point clouds, a run's predictions, or the training curves of several runs.

python tools/visualize.py chair.off scan.ply             clouds.png and clouds.html (turn it with the mouse)
python tools/visualize.py *.off --predictions p.json     the same, with the classes that tools/predict.py --out wrote
python tools/visualize.py runs/quickstart/20260101-120000-0
                                                         the run's pictures again: confusion matrix, contact sheet,
                                                         report.html (the data must be there, the model need not)
python tools/visualize.py runs/argoverse1_vectornet_llama/20260101-120000-0 --activation magnitude
                                                         activation.html: how much each agent's and lane's token stands
                                                         out after (--probe before: before) the frozen block, on the map
python tools/visualize.py runs/a/... runs/b/... --metrics overall_accuracy
                                                         curves.png: loss, metrics and learning rate side by side
"""

import argparse
import sys
from pathlib import Path

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve.files import UserError
from geo_lm4ve.words import failure, line


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paths", type=Path, nargs="+", metavar="FILE|RUN", help="point cloud or mesh files, or run folders"
    )
    parser.add_argument("--out", type=Path, help="folder for the pictures (default: the one run, else pictures/)")
    parser.add_argument("--predictions", type=Path, help="JSON written by tools/predict.py --out, for FILEs")
    parser.add_argument("--metrics", nargs="+", default=["accuracy"], help="for several RUNs: endings of metric names")
    parser.add_argument("--activation", choices=("magnitude", "frequency"), help="for a forecasting RUN: of its tokens")
    parser.add_argument("--probe", choices=("before", "after"), default="after", help="the bridge, for --activation")
    parser.add_argument("--scenes", type=int, default=24, help="how many, for --activation")
    return parser.parse_args()


def draw(given: argparse.Namespace) -> list[Path]:
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
    from geo_lm4ve import cli  # seconds of imports that --help and logs do not need
    from geo_lm4ve.engine.redraw import redraw

    experiment, _ = cli.load(run)
    out = given.out or run
    if given.activation is None:
        return redraw(experiment, run, out)
    choice = {"activation": given.activation, "probe": given.probe, "count": given.scenes}
    return experiment.task.show(experiment, run, out, **choice)


def main() -> None:
    for path in draw(arguments()):
        print(line(path))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(failure(error))
