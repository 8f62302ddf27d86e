"""Classify point clouds or forecast traffic scenes of one's own with a trained run (or a baseline experiment).

python tools/predict.py runs/quickstart/20260101-120000-0 chair.off scan.ply
python tools/predict.py runs/quickstart/20260101-120000-0 *.stl --top 3 --out predictions.json
    .off .ply .obj .stl .npy .txt .xyz .h5 files; prints the best classes

python tools/predict.py runs/argoverse1_vectornet_llama/20260101-120000-0 test_obs --out forecasts
python tools/predict.py configs/argoverse2_constant_velocity.yaml val/SCENARIO data.frame.forward=x
    Argoverse 1 csv files, Argoverse 2 scenario folders, or folders of these, with or without futures; writes the
    submission file (forecasts.h5 or forecasts.parquet) and scenes.html, a page of up to 60 scenes, into --out

key=value among the files changes a value of the experiment, as in the other tools. Prediction runs on the CPU.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads wait asleep)
from geo_lm4ve import cli
from geo_lm4ve.classification.predict import classify_files
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.traffic.forecast.predict import predict_scenes
from geo_lm4ve.traffic.forecast.report import SUBMISSION
from geo_lm4ve.traffic.source import SceneConfig

SHOWN = 20
"""Rows of the printed table of forecasts; the files hold all."""


def classify(experiment: ExperimentConfig, run: Path | None, files: list[Path], top: int, out: Path | None) -> None:
    if run is None:
        raise UserError("classifying needs a run folder with trained weights, not an experiment file")
    predictions = classify_files(experiment, run, files, top)
    table = Table("file", *(f"top {rank + 1}" for rank in range(top)))
    for prediction in predictions:
        table.add_row(prediction["file"], *(f"{name} {probability:.3f}" for name, probability in prediction["top"]))
    Console().print(table)
    if out:
        write_json(out, predictions)


def forecast(experiment: ExperimentConfig, run: Path | None, files: list[Path], top: int, out: Path) -> None:
    submission, page = out / SUBMISSION[experiment.data.protocol], out / "scenes.html"
    forecasts = predict_scenes(experiment, run, files, out=out, gallery=page)
    top = min(top, forecasts.probabilities.shape[1])
    table = Table("scene", *(f"end {rank + 1}: x, y (city) · probability" for rank in range(top)))
    for scene, modes, shares in list(zip(forecasts.scenes, forecasts.positions, forecasts.probabilities))[:SHOWN]:
        ends = zip(modes[:top, -1], shares)
        table.add_row(scene, *(f"{x:.1f}, {y:.1f} · {probability:.2f}" for (x, y), probability in ends))
    Console().print(table)
    print(f"scenes: {len(forecasts.scenes)}; written: {submission}, {page}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path, metavar="RUN|EXPERIMENT.yaml", help="run folder, or a baseline's file")
    parser.add_argument("files", nargs="+", metavar="FILE", help="what to predict, and key=value")
    parser.add_argument("--top", type=int, default=5, help="classes or futures shown per file")
    parser.add_argument("--out", type=Path, help="JSON file for classes, folder for forecasts (default: forecasts/)")
    given = parser.parse_args()
    changes = [name for name in given.files if "=" in name and not Path(name).exists()]
    files = [Path(name) for name in given.files if name not in changes]
    experiment, run = cli.load(given.experiment, changes)
    if isinstance(experiment.data, SceneConfig):
        forecast(experiment, run, files, given.top, given.out or Path("forecasts"))
    else:
        classify(experiment, run, files, given.top, given.out)


if __name__ == "__main__":
    cli.friendly(main)
