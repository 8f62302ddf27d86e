"""Evaluation: each sample of a split exactly once over all processes, metrics from summed states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.table import Table

from geo_lm4ve.config import plain
from geo_lm4ve.costs import cost_of
from geo_lm4ve.engine.cost import measured
from geo_lm4ve.engine.fellows import together
from geo_lm4ve.engine.provenance import data_facts, said, trained_on
from geo_lm4ve.engine.results import results_of, write_results
from geo_lm4ve.engine.session import Session, announce, greet
from geo_lm4ve.engine.weights import begin_evaluation, selected
from geo_lm4ve.experiment import ExperimentConfig, to_yaml
from geo_lm4ve.files import write_text
from geo_lm4ve.invocation import command
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import DataError, DataSource, Loader
from geo_lm4ve.parts.task import Record, Task
from geo_lm4ve.pretrained.published import beside, columns, described
from geo_lm4ve.progress import Meter
from geo_lm4ve.words import marked


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one split and one record per sample, in the order of the split (complete on every process)."""

    metrics: dict[str, float]
    records: list[Record]

    @property
    def samples(self) -> int:
        """Number of samples scored."""
        return len(self.records)


@torch.no_grad()
def evaluate_split(
    session: Session,
    model: Model,
    data: DataSource,
    task: Task,
    split: str,
    *,
    batch_size: int,
    seed: int,
    label: str = "",
) -> Evaluation:
    """Score one split.

    Args:
        session: the processes that share the work.
        model: evaluated in eval mode, its own mode is restored; not wrapped for distribution.
        data: offers the split.
        task: loss, metrics and records.
        split: name of the split.
        batch_size: samples per batch and process.
        seed: of the augmented views.
        label: shown by the progress bar.

    Raises:
        DataError: the number of samples scored differs from the size of the split.
    """  # fmt: skip
    views = range(1, task.votes + 1) if task.votes else range(1)
    loaders = [
        data.loader(
            split, batch_size=batch_size, train=False, seed=seed, rank=session.rank, world=session.world, view=view
        )
        for view in views
    ]
    training = model.training
    model.eval()
    try:
        metrics, records = _accumulate(session, model, task, loaders, label or f"evaluate {split}")
    finally:
        model.train(training)
    state = session.sum(metrics.state())
    records = sorted(session.gather(records), key=lambda record: record["index"])
    if len(records) != loaders[0].samples or len({record["index"] for record in records}) != len(records):
        raise DataError(
            f"split {split!r} has {loaders[0].samples} samples, but {len(records)} were scored; no score is given"
        )
    return Evaluation(metrics.compute(state), records)


def _accumulate(
    session: Session, model: Model, task: Task, loaders: list[Loader], label: str
) -> tuple[Any, list[Record]]:
    metrics, records = task.metrics(), []
    with Meter(label, loaders[0].samples, quiet=not session.main) as meter:
        for batches in zip(*(loader.batches(0) for loader in loaders)):
            outputs = []
            for batch in batches:
                with session.accelerator.autocast():
                    outputs.append(model(batch.to(session.device)))
            output = outputs[0] if len(outputs) == 1 else task.combine(outputs)
            batch = batches[0].to(session.device)
            metrics.update(output, batch)
            records += task.records(output, batch)
            meter.advance(len(batch) * session.world)
    return metrics, records


@together()
def evaluate(experiment: ExperimentConfig, folder: Path | None = None) -> dict[str, Any]:
    """Score a run (or an experiment with ``run.checkpoint``): table, ``results.json``, ``predictions.jsonl``, pictures.

    Args:
        experiment: as composed; of a run folder with the overrides of the command line.
        folder: the run folder, or None for an experiment file.

    Returns:
        The results as written.
    """
    run = experiment.run
    session = Session(run)
    greet(session, experiment)
    run.check_splits(f"data={experiment.data.name}", experiment.data.splits(), selects=False)
    batch_size = experiment.optim.micro_batch(session.world)
    experiment.data.look()
    experiment.encoder.look(experiment.data)
    source = run.checkpoint or folder
    trained = trained_on(Path(source) if source else None)
    begun = begin_evaluation(experiment, folder)
    data = session.build_data(experiment.data)
    task = experiment.task.build(data)
    begun.check_classes(data.info.classes, data.info.title)
    model, loaded = begun.model(task.outputs)
    origin = loaded.origin
    model.to(session.device)
    told = said({**data_facts(data, experiment.data), "trained_on": trained})
    out = session.new_folder(experiment, str(folder / "evaluations") if folder else run.root)
    if session.main:
        weights = replace(experiment, run=replace(run, checkpoint=origin)) if source else experiment
        header = f"{command('evaluate')} <this file>\nevaluation of {origin}: {told}"
        write_text(out / "config.yaml", to_yaml(weights, header))
    announce(session, experiment, model, out, told)
    evaluation = evaluate_split(
        session, model, data, task, run.split, seed=experiment.seed, batch_size=batch_size,
    )  # fmt: skip
    protocol = {
        "split": run.split,
        "checkpoint": origin,
        **selected(None if run.checkpoint else folder),
        **task.protocol(),
    }
    more = measured(session, experiment, model, data, task)
    if loaded.report and (found := beside(loaded.report, plain(experiment), data.info.benchmark, evaluation.samples)):
        more["published"] = found
    results = results_of(
        session, experiment, model, data, trained, evaluation.metrics, evaluation.samples, protocol, **more
    )
    if session.main:
        write_results(out, results, evaluation.records)
        task.files(out, results, evaluation.records)
        print_metrics(session, results)
        if run.pictures:
            task.report(out, results, evaluation.records, data)
        session.console.print(marked(f"written to {out}"))
    session.accelerator.wait_for_everyone()
    return results


def print_metrics(session: Session, results: dict[str, Any]) -> None:
    """The table at the end of a run: scores and their cost, with what was published of an official file beside it."""
    cost = cost_of(results)
    protocol = ", ".join(f"{key} {value}" for key, value in results["protocol"].items())
    title = f"{results['experiment']} on {results['data']}"
    table = Table(title=marked((title, "table.title")), caption=marked((protocol, "table.caption")))
    table.add_column("metric")
    table.add_column("value", justify="right")
    published = results.get("published")
    others = columns(published, list(results["metrics"])) if published else {}
    for heading in others:
        table.add_column(marked(heading), justify="right")
    for row, (key, value) in enumerate(results["metrics"].items()):
        table.add_row(marked(key), f"{value:.4f}", *(cells[row] for cells in others.values()))
    table.add_row("samples", f"{results['samples']:,}")
    count = results["parameters"]
    table.add_row("parameters", f"{count['trainable'] + count['frozen']:,}, frozen {count['frozen']:,}")
    for key, text in (cost.rows if cost else {}).items():
        table.add_row(key, text)
    session.console.print(table)
    if cost:
        session.console.print(marked(cost.said))
    if published:
        session.console.print(marked(described(published)))
