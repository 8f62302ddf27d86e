"""What a score costs is measured beside it, and changes nothing of it."""

import random

import numpy as np
import pytest
import torch
from small_runs import experiment, tool

from geo_lm4ve.costs import cost_of
from geo_lm4ve.engine.cost import LEAST, MOST, measured
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.run_files import PREDICTIONS, read_results

PRETRAINED = ("pretrained", {"source": "random:smollm2_135m"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same short run twice, with and without measuring: (results, folder) of each."""
    root = tmp_path_factory.mktemp("runs")
    found = []
    for cost in (True, False):
        run = {"cost": cost, "root": str(root / str(cost))}
        results = train(experiment(root, optim={"epochs": 1}, run=run, block=PRETRAINED))
        found.append((results, next((root / str(cost) / "small").iterdir())))
    return found


def test_scores_are_the_same_with_and_without_it(runs):
    (with_cost, measured_in), (without, plain_in) = runs
    assert "cost" in with_cost
    assert "cost" not in without
    assert with_cost["metrics"] == without["metrics"]
    assert (measured_in / PREDICTIONS).read_bytes() == (plain_in / PREDICTIONS).read_bytes()


def test_the_entry_is_read_back_and_says_how_it_was_measured(runs):
    results, folder = runs[0]
    cost = cost_of(read_results(folder / "results.json"))
    assert cost == cost_of(results)
    assert cost.evaluated.batch == 8
    assert cost.alone.batch == 1
    for latency in (cost.evaluated, cost.alone):
        assert latency.ms_per_sample > 0
        assert LEAST <= latency.repeats <= MOST
    assert (cost.device, cost.threads) == (results["device"], results["environment"]["threads"])
    assert cost.precision == "float32"
    frozen = cost.gflops("frozen")
    assert frozen == cost.flops_per_sample["block"]["frozen"] / 1e9 > 0
    assert cost.gflops() == pytest.approx(frozen + cost.gflops("trainable"))
    assert cost.flops_per_sample["adapters"]["trainable"] > 0


def test_an_evaluation_prints_it_below_its_scores(runs, capsys):
    (results, folder), _ = runs
    code, shown, errors = tool(capsys, "evaluate", folder, "run.pictures=false")
    assert (code, errors) == (0, "")
    count = results["parameters"]
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in shown.splitlines() if "│" in line}
    assert rows["parameters"] == f"{sum(count.values()):,}, frozen {count['frozen']:,}"
    assert rows["GFLOPs per sample"] == cost_of(results).rows["GFLOPs per sample"]
    assert " in batches of 8, " in rows["ms per sample"]
    assert cost_of(results).said in shown.replace("\n", " ")


def states():
    return torch.get_rng_state(), torch.tensor(np.random.get_state()[1].astype(np.int64)), random.getstate()


def test_measuring_leaves_model_and_generators_as_they_were(tmp_path):
    trainer = Trainer(experiment(tmp_path, head={"norm": "batch"}, run={"cost": True}))
    model = trainer.model.train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    modes, before = [module.training for module in model.modules()], states()
    assert measured(trainer.session, trainer.experiment, model, trainer.data, trainer.task)
    after = states()
    assert all(torch.equal(one, other) for one, other in zip(before[:2], after[:2]))
    assert before[2] == after[2]
    assert [module.training for module in model.modules()] == modes
    assert model.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_the_first_sample_alone_costs_what_it_costs_in_the_batch(tmp_path):
    """Clouds are all of one size: FLOPs per sample do not hang on how many there are."""
    trainer = Trainer(experiment(tmp_path, run={"cost": True}))
    found = []
    for size in (8, 1):
        trainer.experiment.optim.batch_size = size
        entry = measured(trainer.session, trainer.experiment, trainer.model, trainer.data, trainer.task)["cost"]
        assert entry["evaluated"]["batch"] == size
        found.append(entry["flops_per_sample"])
    assert found[0] == found[1]


def test_votes_are_measured_in_the_view_that_they_see(tmp_path):
    small = experiment(tmp_path, run={"cost": True})
    small.task.votes = 2
    trainer = Trainer(small)
    seen = []
    loader = trainer.data.loader
    trainer.data.loader = lambda *split, **how: seen.append(how["view"]) or loader(*split, **how)
    measured(trainer.session, small, trainer.model, trainer.data, trainer.task)
    assert seen == [1, 1]
