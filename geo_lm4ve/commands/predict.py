"""Classify point clouds, forecast traffic scenes or ask about rooms of one's own with a trained run (or a baseline).

geo-lm4ve predict runs/quickstart/20260101-120000-0 chair.off scan.ply
geo-lm4ve predict runs/quickstart/20260101-120000-0 *.stl --top 3 --out predictions.json
geo-lm4ve predict runs/quickstart/20260101-120000-0 my_parts | grep chair
    .off .ply .obj .stl .glb .gltf .npy .txt .xyz .csv .h5 files (.3mf with lxml, .dae with pycollada), and folders of
    these with all that is below, in natural order; prints the best classes: a table on a terminal, else a line per file
    with its path, tab and classes. Hidden files and links to folders are passed over, files of other kinds in folders
    are skipped and counted. A scene of several objects is one shape; axes stay those of the file (glTF has y up). A run
    with data=modelnet40 takes files as they are: data.normalize=true brings those in other units to the unit sphere,
    and it is said where that is needed

geo-lm4ve predict runs/argoverse1_vectornet_llama/20260101-120000-0 test_obs --out forecasts
geo-lm4ve predict configs/argoverse2_constant_velocity.yaml val/SCENARIO data.frame.forward=x
    Argoverse 1 csv files, Argoverse 2 scenario folders, or folders of these, with or without futures; writes the
    submission file (forecasts.h5 or forecasts.parquet) and scenes.html, a page of up to 60 scenes, into --out. Maps of
    Argoverse 1 are taken from map_files in a folder above a scene, else from data.root=FOLDER

geo-lm4ve predict runs/scanqa_llama/20260101-120000-0 kitchen.ply --ask "What color is the table?" --ask questions.txt
geo-lm4ve predict runs/sqa3d_llama/20260101-120000-0 scans --ask "I am sitting on the bed. What is on my left?"
    scans as meshes or points, with colours where the run was trained with them (.ply), z up, in metres; every question,
    or line of a .txt file, about each of them. Writes answers.json, rooms.png and rooms.html into --out

Files that cannot be read are left out, named with their reasons at the end, and make the exit code 1; Ctrl-C ends with
what is done by then. A file that is given twice counts once. key=value among the files changes a value of the
experiment, as in the other tools: run.device=cpu where the GPU, which is taken if there is one, is not to be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve.commands import parser
from geo_lm4ve.files import UserError
from geo_lm4ve.reading import reader
from geo_lm4ve.words import line


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    options = parser("predict", __doc__, settings=True)
    options.add_argument("experiment", type=Path, metavar="RUN|EXPERIMENT", help="run folder, or a baseline's file")
    options.add_argument("files", nargs="+", metavar="FILE|FOLDER", help="what to predict, and key=value")
    options.add_argument("--top", type=int, default=5, help="classes or futures shown per file")
    options.add_argument("--ask", action="append", default=[], metavar="QUESTION", help="or a .txt file of questions")
    options.add_argument(
        "--out", type=Path, help="JSON file for classes, folder for forecasts and answers (forecasts/, answers/)"
    )
    given = options.parse_intermixed_args(arguments)
    from geo_lm4ve import cli
    from geo_lm4ve.parts.answers import print_answers

    changes = [name for name in given.files if "=" in name and not Path(name).exists()]
    files = [Path(name) for name in given.files if name not in changes]
    experiment, run = cli.load(given.experiment, changes)
    if asked := [question for text in given.ask for question in questions(text)]:
        answers = experiment.task.answer(experiment, run, files, asked, top=given.top, out=given.out)
    else:
        answers = experiment.task.predict(experiment, run, files, top=given.top, out=given.out)
    print_answers(answers)
    if answers.left_out:
        reasons = "\n".join(map(line, answers.left_out))
        raise UserError(f"left out: {len(answers.left_out)}, for these reasons:\n{reasons}")


def questions(text: str) -> list[str]:
    """A question, or those of a .txt file, a line each; UserError if there are none."""
    asked = _listed(Path(text)) if text.endswith(".txt") else [text]
    if not (kept := [one.strip() for one in asked if one.strip()]):
        raise UserError(f"--ask {text!r} asks nothing")
    return kept


@reader(UserError, "a text file of questions", "write a question per line, in UTF-8")
def _listed(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
