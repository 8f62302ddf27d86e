"""Classify point clouds or forecast traffic scenes of one's own with a trained run (or a baseline experiment).

geo-lm4ve predict runs/quickstart/20260101-120000-0 chair.off scan.ply
geo-lm4ve predict runs/quickstart/20260101-120000-0 *.stl --top 3 --out predictions.json
    .off .ply .obj .stl .npy .txt .xyz .h5 files; prints the best classes. A run with data=modelnet40 takes files as
    they are: data.normalize=true brings those in other units to the unit sphere, and it is said where that is needed

geo-lm4ve predict runs/argoverse1_vectornet_llama/20260101-120000-0 test_obs --out forecasts
geo-lm4ve predict configs/argoverse2_constant_velocity.yaml val/SCENARIO data.frame.forward=x
    Argoverse 1 csv files, Argoverse 2 scenario folders, or folders of these, with or without futures; writes the
    submission file (forecasts.h5 or forecasts.parquet) and scenes.html, a page of up to 60 scenes, into --out. Maps of
    Argoverse 1 are taken from map_files in a folder above a scene, else from data.root=FOLDER. Scenes that cannot be
    read are left out, named with their reasons at the end, and make the exit code 1

key=value among the files changes a value of the experiment, as in the other tools. Prediction runs on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.commands import parser
from geo_lm4ve.files import UserError
from geo_lm4ve.words import line, marked


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("predict", __doc__)
    options.add_argument("experiment", type=Path, metavar="RUN|EXPERIMENT", help="run folder, or a baseline's file")
    options.add_argument("files", nargs="+", metavar="FILE", help="what to predict, and key=value")
    options.add_argument("--top", type=int, default=5, help="classes or futures shown per file")
    options.add_argument("--out", type=Path, help="JSON file for classes, folder for forecasts (default: forecasts/)")
    given = options.parse_args(arguments)
    from rich.console import Console
    from rich.table import Column, Table

    from geo_lm4ve import cli

    changes = [name for name in given.files if "=" in name and not Path(name).exists()]
    files = [Path(name) for name in given.files if name not in changes]
    experiment, run = cli.load(given.experiment, changes)
    answers = experiment.task.predict(experiment, run, files, top=given.top, out=given.out)
    table = Table(*(Column(marked(name), overflow="fold") for name in answers.columns))
    for row in answers.rows:
        table.add_row(*map(marked, row))
    Console().print(table)
    if answers.note:
        print(line(answers.note))
    if answers.left_out:
        reasons = "\n".join(map(line, answers.left_out))
        raise UserError(f"left out: {len(answers.left_out)}, for these reasons:\n{reasons}")
