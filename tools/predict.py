"""Classify point-cloud files with a trained run: .off .ply .obj .stl .npy .txt .xyz .h5

python tools/predict.py runs/quickstart/20260101-120000-0 chair.off scan.ply
python tools/predict.py runs/quickstart/20260101-120000-0 *.stl --top 3 --out predictions.json
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from geo_lm4ve import cli
from geo_lm4ve.engine.predict import predict_files
from geo_lm4ve.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run folder, as tools/train.py printed it")
    parser.add_argument("files", type=Path, nargs="+", help="meshes or point clouds")
    parser.add_argument("--top", type=int, default=5, help="candidates per file")
    parser.add_argument("--out", type=Path, help="also write the predictions as JSON")
    arguments = parser.parse_args()
    predictions = predict_files(cli.load_run(arguments.run), arguments.run, arguments.files, arguments.top)
    table = Table("file", *(f"top {rank + 1}" for rank in range(arguments.top)))
    for prediction in predictions:
        table.add_row(prediction["file"], *(f"{name} {probability:.3f}" for name, probability in prediction["top"]))
    Console().print(table)
    if arguments.out:
        write_json(arguments.out, predictions)


if __name__ == "__main__":
    cli.friendly(main)
