"""What a run writes and reads again, and the YAML that says what to run."""

from __future__ import annotations

import json
import os
import warnings
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from mutate_packed import ZIP
from mutate_text import JSON, JSON_LINES
from mutate_yaml import YAML
from seed import Seed
from small_runs import experiment

from geo_lm4ve import cli, options
from geo_lm4ve.compare.comparison import compare
from geo_lm4ve.compare.output import to_csv, to_markdown
from geo_lm4ve.compare.runs import Collection, Run
from geo_lm4ve.costs import PARTS, Cost, Latency
from geo_lm4ve.engine import provenance
from geo_lm4ve.engine.checkpoint import RESUME, Position, load_resume, open_resume, save_resume
from geo_lm4ve.engine.provenance import data_facts, said, trained_on, training_record
from geo_lm4ve.engine.redraw import read_outcome
from geo_lm4ve.engine.results import results_of, write_results
from geo_lm4ve.engine.session import Session
from geo_lm4ve.engine.weights import build_experiment_model, selected
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_json, write_text
from geo_lm4ve.parts.drawer import read_answers
from geo_lm4ve.parts.task import Task
from geo_lm4ve.points.viz.files import best_classes
from geo_lm4ve.pretrained.published import columns, described
from geo_lm4ve.run_files import CONFIG, LOG, PREDICTIONS, RESULTS, SELECTED, TRAINING, read_metrics, read_results
from geo_lm4ve.saved import CARD
from geo_lm4ve.traffic.forecast.records import check_records, forecast_records, forecasts_of, table_of
from geo_lm4ve.traffic.metrics.table import Truth, scene_table
from geo_lm4ve.traffic.protocol import Protocol
from geo_lm4ve.viz.curves import lines_of, shared_position
from geo_lm4ve.viz.logs import run_name

SMALL = {"encoder": {"dim": 8, "encoder_dim": 8, "num_groups": 4, "group_size": 4, "heads": 2}, "block": {"width": 8}}
ROW = {
    "epoch": 1,
    "step": 3,
    "loss": 1.25,
    "train_accuracy": 0.5,
    "lr": 0.0005,
    "val_overall_accuracy": 0.25,
    "x": None,
}
PUBLISHED = {
    "model": "Point-BERT", "benchmark": "ModelNet40", "source": "its README", "protocol": "",
    "values": {"README": {"overall_accuracy": 0.9267, "overall_accuracy_std": 0.001}},
    "differing": {"data.points": {"published": "1024", "here": "128"}},
}  # fmt: skip
"""Numbers and conditions, which no real results have both, so that both are spoilt."""
COST = Cost(
    {part: {"trainable": 1e9, "frozen": 0.0} for part in PARTS}, Latency(8, 1.5, 10), Latency(1, 4.0, 3),
    "cpu (x)", 1, 1, "float32",
)  # fmt: skip


@cache
def _small():
    """A small experiment whose data are at hand, and its task."""
    folder = Path(os.environ["GEO_LM4VE_CACHE"]) / "small"  # goes with the folder of the seed
    small = experiment(folder, head={"hidden": [8]}, **SMALL)
    data = small.data.build()
    return small, data, small.task.build(data)


def _run(folder: Path) -> Path:
    """A finished run's results and predictions; returns the folder."""
    small, data, task = _small()
    batches = list(data.loader("test", batch_size=20, train=False, seed=0).batches(0))
    torch.manual_seed(0)
    records = [one for batch in batches for one in task.records(torch.randn(len(batch), 4), batch)]
    model = build_experiment_model(small, task.outputs)
    record = training_record(small, data, None)
    metrics = {"overall_accuracy": 0.25, "mean_class_accuracy": 0.25, "loss": 1.5}
    facts = (Session(small.run), small, model, data, record, metrics, len(records), {"split": "test", "epoch": 3})
    write_results(folder, results_of(*facts, wall_seconds=3.5, published=PUBLISHED, cost=COST.plain()), records)
    write_text(folder / CONFIG, to_yaml(small, "python tools/train.py <this file>"))
    return folder


def _results(folder: Path) -> Path:
    return _run(folder) / RESULTS


def _use_results(path: Path) -> object:
    results = read_results(path)
    runs = [Run(path.parent / "a", results), Run(path.parent / "b", {**results, "seed": 1})]
    comparison = compare(Collection(runs, [], {}))
    known = "data" in results and results["data"] is not None
    published = results.get("published")
    shown = (described(published), columns(published, ["overall_accuracy"])) if published else ()
    return to_markdown(comparison), to_csv(comparison), said(results) if known else "", *shown


def _predictions(folder: Path) -> Path:
    return _run(folder) / PREDICTIONS


def _use_outcome(path: Path) -> object:
    from geo_lm4ve.classification.report import chosen, confusion_of

    task = _small()[2]
    results, records = read_outcome(path.parent, task)
    return said(results), chosen(records), confusion_of(records, task.classes)


class _Forecasts(Task):
    """What a forecasting task checks, without its data."""

    loss = metrics = records = report = None

    def check_records(self, records):
        check_records(records, 12)


_Forecasts.__abstractmethods__ = frozenset()


def _forecasts(folder: Path) -> Path:
    random, count = np.random.default_rng(0), 4
    names = [f"s{row}" for row in range(count)]
    truth = Truth(
        names, names, ["MIA"] * count, random.normal(size=(count, 20, 2)), random.normal(size=(count, 12, 2)),
        np.arange(count),
    )  # fmt: skip
    positions, probabilities = random.normal(size=(count, 6, 12, 2)), np.full((count, 6), 1 / 6)
    table = scene_table(truth, positions, probabilities, protocol=Protocol.av1, ks=(1, 6))
    records = forecast_records(table, range(count), probabilities, positions)
    facts = {"experiment": "e", "block": "b", "data": "d", "protocol": {"split": "val"}, "samples": count}
    write_results(folder, {"metrics": {"minFDE_6": 1.0}, **facts}, records)
    return folder / PREDICTIONS


def _use_forecasts(path: Path) -> object:
    from geo_lm4ve.traffic.forecast.report import KS, breakdown, means

    _, records = read_outcome(path.parent, _Forecasts())
    table = table_of(records)
    return forecasts_of(records), means(table, Protocol.av1, KS), breakdown(table, Protocol.av1, KS)


def _log(folder: Path) -> Path:
    write_text(folder / LOG, "".join(json.dumps({**ROW, "epoch": n, "step": 3 * n}) + "\n" for n in (1, 2, 3)))
    return folder / LOG


def _use_log(path: Path) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a last line that was cut off
        logs = {"a": read_metrics(path)}
    return [lines_of(logs, name, shared_position(logs)) for name in ("loss", "overall_accuracy", "lr", "accuracy")]


def _training(folder: Path) -> Path:
    small, data, _ = _small()
    record = training_record(small, data, None)
    earlier = [{key: record[key] for key in ("data", "data_root", "counts")}]
    write_json(folder / TRAINING, {**record, "earlier": earlier, "epoch": 3})
    write_json(folder / CARD, {})
    return folder / TRAINING


def _use_training(path: Path) -> object:
    small, data, _ = _small()
    record = trained_on(path.parent)
    with patch.object(provenance, "commit", str):  # asks git, which is no part of reading
        again = training_record(small, data, record)
    return [said({**data_facts(data, small.data), "trained_on": one}) for one in (record, again)]


def _selected(folder: Path) -> Path:
    write_json(folder / SELECTED, {"select_on": "val", "epoch": 3})
    return folder / SELECTED


def _old_run(folder: Path) -> Path:
    (_run(folder) / RESULTS).unlink()
    write_json(folder / CARD, {})
    return folder / CONFIG


def _use_old_run(path: Path) -> object:
    small, data, _ = _small()
    return said({**data_facts(data, small.data), "trained_on": trained_on(path.parent)}), run_name(path.parent)


def _experiment(folder: Path) -> Path:
    write_text(folder / "one.yaml", (options.CONFIGS / "quickstart.yaml").read_text())
    return folder / "one.yaml"


def _saved_experiment(folder: Path) -> Path:
    write_text(folder / CONFIG, to_yaml(_small()[0], "python tools/train.py <this file>"))
    return folder / CONFIG


def _compose(path: Path) -> object:
    return to_yaml(cli.load(path)[0])


def _option(folder: Path) -> Path:
    shipped = options.CONFIGS / "encoder"
    for name in ("point_bert_tiny", "point_bert_small", "point_bert"):
        write_text(folder / "encoder" / f"{name}.yaml", (shipped / f"{name}.yaml").read_text())
    return folder / "encoder" / "point_bert_small.yaml"


def _use_option(path: Path) -> object:
    before, options.CONFIGS = options.CONFIGS, path.parent.parent
    try:
        return options.load_option("encoder", path.stem)
    finally:
        options.CONFIGS = before


def _trained():
    small, _, task = _small()
    model = build_experiment_model(small, task.outputs)
    return model, small.optim.build(model)


def _resume(folder: Path) -> Path:
    small, data, _ = _small()
    model, optimizer = _trained()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    position = Position(1, 2, 8, {"loss": 2.5}, 0.5, 0, 12.5)
    scaler = {
        "scale": 65536.0,
        "growth_factor": 2.0,
        "backoff_factor": 0.5,
        "growth_interval": 2000,
        "_growth_tracker": 0,
    }
    extra = {"trained_on": training_record(small, data, None), "scaler": scaler, "average": model.state_dict()}
    save_resume(folder, model, optimizer, position, extra)
    return folder / RESUME


def _use_resume(path: Path) -> object:
    small, data, _ = _small()
    model, optimizer = _trained()
    extra = open_resume(path.parent.parent, model)
    position = load_resume(path.parent.parent, extra, model, optimizer)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    with patch.object(provenance, "commit", str):
        return position, training_record(small, data, extra.get("trained_on"))


def _answers(folder: Path) -> Path:
    entries = [{"file": name, "top": [("box", 0.75), ("ball", 0.25)]} for name in ("a.off", "b.ply")]
    write_json(folder / "answers.json", entries)
    return folder / "answers.json"


_FILES, _ENGINE = "geo_lm4ve.run_files", "geo_lm4ve.engine"
SEEDS = (
    Seed("results.json", (f"{_FILES}.read_results",), _results, _use_results, JSON),
    Seed("predictions.jsonl", (f"{_FILES}.read_predictions", f"{_ENGINE}.redraw.read_outcome"), _predictions,
         _use_outcome, JSON_LINES),
    Seed("predictions.jsonl of forecasts", (f"{_FILES}.read_predictions",), _forecasts, _use_forecasts, JSON_LINES),
    Seed("metrics.jsonl", (f"{_FILES}._log",), _log, _use_log, JSON_LINES),
    Seed("training.json", (f"{_FILES}.read_training",), _training, _use_training, JSON),
    Seed("selected.json", (f"{_FILES}.read_selected",), _selected, lambda path: selected(path.parent.parent), JSON),
    Seed("run folder of before", (f"{_ENGINE}.provenance.of_run",), _old_run, _use_old_run, YAML),
    Seed("resume.pt", (f"{_ENGINE}.checkpoint.open_resume", f"{_ENGINE}.checkpoint.load_resume"), _resume,
         _use_resume, ZIP),
    Seed("predicted files", ("geo_lm4ve.parts.drawer.read_answers",), _answers,
         lambda path: read_answers(path, best_classes), JSON),
    Seed("experiment", ("geo_lm4ve.cli._composed",), _experiment, _compose, YAML, slow=True),
    Seed("config.yaml", ("geo_lm4ve.cli._composed",), _saved_experiment, _compose, YAML, slow=True),
    Seed("option", ("geo_lm4ve.yaml_file.read_yaml",), _option, _use_option, YAML),
)  # fmt: skip
