"""Trained on, scored on: two facts. What a model was trained on is kept beside its weights and read from there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo_lm4ve.compare.runs import UNTRAINED, titles
from geo_lm4ve.engine.session import commit
from geo_lm4ve.engine.weights import checkpoint_folder
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.parts.data import DataConfig, DataSource
from geo_lm4ve.reading import Fields, reader
from geo_lm4ve.run_files import CONFIG, RESULTS, TRAINING, RunError, read_results, read_training
from geo_lm4ve.yaml_file import read_values

IDENTITY = ("data", "data_root", "counts")
"""Two data sets are the same if they agree in those of these that both sides know."""


def data_facts(data: DataSource, config: DataConfig) -> dict[str, Any]:
    """Which data this is: title, absolute place (None: it has none), samples per split, generated or not."""
    info = data.info
    return {"data": info.title, "data_root": config.place(), "counts": info.counts, "synthetic": info.synthetic}


def training_record(experiment: ExperimentConfig, data: DataSource, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a run that trains now will have been trained on.

    Args:
        experiment: of the run.
        data: what it trains on from now on.
        before: the record in its resume checkpoint, if it goes on.

    Returns:
        ``data_facts`` with seed and commit; ``started_from`` for weights that were trained before (``run.init_from``);
        ``earlier`` for each other data set that the run was trained on before it went on with this one.

    Raises:
        UserError: ``run.init_from`` does not say what it was trained on in a readable way.
    """
    record = {**data_facts(data, experiment.data), "seed": experiment.seed, "commit": commit()}
    if before is None:
        source, parts = experiment.run.init_from, experiment.run.init_parts
        started = None if source is None else {"checkpoint": source, **trained_on(Path(source))}
        if started and parts:
            started["parts"] = parts
        return record if started is None else {**record, "started_from": started}
    if "started_from" in before:
        record["started_from"] = before["started_from"]
    earlier = list(before.get("earlier", []))
    if _differing(before, record):
        earlier.append({key: before.get(key) for key in IDENTITY})
    return {**record, "earlier": earlier} if earlier else record


def trained_on(source: Path | None) -> dict[str, Any]:
    """What the weights of a run, a saved model or an official file were trained on, as far as that is recorded.

    Args:
        source: as ``run.checkpoint`` takes it; None: a model without trained weights.

    Returns:
        The record beside the weights; for older checkpoints what their run folder says. ``data`` is None where no
        title is known; ``note`` says what is.

    Raises:
        UserError: no checkpoint there, or a damaged record.
    """
    if source is None:
        return {"data": None, "note": UNTRAINED}
    if not source.is_dir():
        return {"data": None, "note": f"trained elsewhere: {source.name}"}
    folder = checkpoint_folder(source).resolve()
    if (folder / TRAINING).is_file():
        return read_training(folder / TRAINING)
    return of_run(folder.parent.parent if folder.parent.name == "checkpoints" else folder)


def said(results: Mapping[str, Any]) -> str:
    """What titles call the data of ``results.json``: its title; where it differs, what was trained on too."""
    trained = results.get("trained_on")
    if trained is None:  # written before this was recorded
        return str(results["data"])
    differing = _differing(trained, results)
    known = any(trained.get(key) is not None for key in IDENTITY)
    if known and not differing and not trained.get("earlier"):
        return str(results["data"])
    if trained["data"] is None:
        return f"{trained['note']}, scored on {results['data']}"
    detail = {"data_root": " in {}", "counts": " ({})"}.get(differing or "", "")
    first, second = (detail.format(_text(facts[differing])) if differing else "" for facts in (trained, results))
    return f"trained on {titles(trained)}{first}, scored on {results['data']}{second}"


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first fact that tells two data sets apart, among those that both sides know."""
    known = (key for key in IDENTITY if one.get(key) is not None and other.get(key) is not None)
    return next((key for key in known if one[key] != other[key]), None)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count:,} {split}" for split, count in value.items())
    return str(value)


@reader(RunError, "the folder of a run", "restore its results.json and config.yaml, or train again")
def of_run(run: Path) -> dict[str, Any]:
    """What a run folder of before TRAINING was written says: its results if it was finished, else its config."""
    results = read_results(run / RESULTS) if (run / RESULTS).is_file() else {}
    config = results.get("config") or (read_values(run / CONFIG) if (run / CONFIG).is_file() else {})
    if not config.get("data"):
        return {"data": None, "note": "training data not recorded"}
    data = Fields(config).fields("data")
    # The commands were run where they are run now: a relative root meant the same folder.
    root = str(Path(data.text("root")).expanduser().resolve()) if data.values.get("root") else None
    return {
        **{key: results.get(key) for key in ("data", "counts", "synthetic", "commit")},
        "data_root": root,
        "seed": config.get("seed"),
        "epoch": (results.get("protocol") or {}).get("epoch"),
        "note": f"trained on data={data.values.get('name')}" + (f" in {root}" if root else ""),
    }
