"""results.json and predictions.jsonl: numbers with their circumstances."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from geo_lm4ve.config import plain
from geo_lm4ve.engine.provenance import data_facts
from geo_lm4ve.engine.session import Session, environment
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import to_json, write_json, write_text
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import DataSource
from geo_lm4ve.run_files import PREDICTIONS, RESULTS


def results_of(
    session: Session,
    experiment: ExperimentConfig,
    model: Model,
    data: DataSource,
    trained_on: dict[str, Any],
    metrics: dict[str, float],
    samples: int,
    protocol: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """The content of ``results.json``: ``data`` and what follows it are scored on, ``trained_on`` is another fact."""
    facts = environment(session)
    reference = model.bridge.block.reference
    return {
        "experiment": experiment.name,
        "metrics": metrics,
        "protocol": protocol,
        "samples": samples,
        "seed": experiment.seed,
        "commit": facts["commit"],
        "block": experiment.choices.get("block", experiment.block.name),
        "block_reference": None if reference is None else vars(reference),
        **data_facts(data, experiment.data),
        "trained_on": trained_on,
        "parameters": model.count(),
        "device": facts["device"],
        **more,
        "environment": facts,
        "choices": experiment.choices,
        "config": plain(experiment),
    }


def write_results(folder: Path, results: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
    """Write the per-sample records, then the results (so that results.json means: all is there)."""
    write_text(folder / PREDICTIONS, "".join(to_json(record) + "\n" for record in records))
    write_json(folder / RESULTS, results)
