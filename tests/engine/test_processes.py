"""Training in two processes equals training in one, and processes end together."""

import signal
import socket
import time

import pytest
import torch
from pair_of_processes import EXPERIMENTS, NORMS, SHARES, STEPS, normalised, start, steps
from small_runs import experiment
from torch import nn

from geo_lm4ve.engine.session import drawn
from geo_lm4ve.engine.train import train
from geo_lm4ve.engine.weights import build_experiment_model
from geo_lm4ve.experiment import to_yaml
from geo_lm4ve.files import write_text
from geo_lm4ve.layers.batch_norm import SynchronisedBatchNorm, synchronise
from geo_lm4ve.testing import assert_equal_up_to_rounding


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ends(processes, timeout=120):
    """Exit code, output and errors of each."""
    told = [process.communicate(timeout=timeout) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, told)]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What two processes made, and the folder of their data."""
    folder = tmp_path_factory.mktemp("pair")
    for code, _, err in ends(start(free_port(), folder), timeout=300):
        assert code == 0, err
    return torch.load(folder / "pair.pt"), folder


@pytest.fixture
def double():
    """Float64 by default."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_twenty_steps_in_two_processes_are_those_of_one(pair, double, name):
    made, folder = pair
    one = steps(folder, name)
    for rows, metrics, samples in [made[name]] + [made["accumulated"]] * (name == "vectornet"):
        assert len(rows) == STEPS
        for ours, theirs in zip(one[0], rows):
            assert theirs == pytest.approx(ours, rel=1e-6)
        assert metrics == pytest.approx(one[1], rel=1e-6)
        assert samples == one[2]
    assert one[0][0]["loss"] != pytest.approx(one[0][-1]["loss"], rel=1e-3), "nothing was learnt"


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMS)
def test_batch_norm_over_uneven_shares_is_that_of_the_whole_batch(pair, name):
    whole, of_parameters, state = normalised(nn.BatchNorm1d(3, **NORMS[name], dtype=torch.float64))
    shares = [rank[name] for rank in pair[0]["norms"]]
    assert [len(share[0][0]) for share in shares] == [piece.stop - piece.start for piece in SHARES]
    for expected, *parts in zip(whole, *(share[0] for share in shares)):
        assert_equal_up_to_rounding(torch.cat(parts), expected, scale=1e4)
    for expected, *parts in zip(of_parameters, *(share[1] for share in shares)):
        assert_equal_up_to_rounding(sum(parts), expected, scale=1e4)
    for _, _, theirs in shares:
        assert theirs.keys() == state.keys()
        for key, value in state.items():
            assert_equal_up_to_rounding(theirs[key], value, scale=1e4)


def test_synchronised_layers_keep_parameters_buffers_and_names():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.BatchNorm1d(4), nn.ReLU())).eval()
    before = dict(model.named_parameters()) | dict(model.named_buffers())
    state, x = list(model.state_dict()), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    expected = model(x)
    synchronise(model, torch.device("cpu"))
    assert isinstance(model[1][0], SynchronisedBatchNorm)
    after = dict(model.named_parameters()) | dict(model.named_buffers())
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)
    assert list(model.state_dict()) == state
    assert torch.equal(model(x), expected), "eval mode, and it stays so"
    assert torch.equal(model.train()(x), nn.Sequential(model[0], nn.BatchNorm1d(4), nn.ReLU())(x)), "alone in training"


def test_what_processes_draw_by_themselves_is_named(tmp_path):
    for changes, expected in (
        ({"encoder": {"depth": 2}}, "dropout, drop path"),
        ({"encoder": {"drop_path": 0.0}}, "dropout"),
        ({"encoder": {"drop_path": 0.0}, "head": {"dropout": 0.0}}, "nothing"),
    ):
        assert drawn(build_experiment_model(experiment(tmp_path, **changes), 4)) == expected


FAILING = """
import sys, torch.distributed as dist
from geo_lm4ve.usage import friendly
from geo_lm4ve.engine.fellows import introduce, together
from geo_lm4ve.files import UserError

def main():
    with together() as fellows:
        fellows.way_on = lambda: "go on with X"
        dist.init_process_group("gloo")
        introduce()
        if str(dist.get_rank()) in sys.argv[1]:
            raise UserError("row 5 is torn")
        dist.barrier()

friendly(main)
"""


@pytest.mark.parametrize("failing", ["1", "01"])
def test_an_error_is_said_once_and_the_other_process_points_to_it(failing):
    (code, _, first), (other, _, second) = ends(start(free_port(), None, "-c", FAILING, failing))
    assert (code, other) == (1, 1)
    lines = (first + second).splitlines()
    assert lines.count("error: row 5 is torn") == 1
    if failing == "1":
        assert second == "error: row 5 is torn\n"
        (line,) = first.splitlines()
        assert line.startswith("error: ended because rank 1 (process ")
        assert line.endswith(" of 2 failed and says why; go on with X")
    else:
        assert len(lines) == 1


@pytest.mark.slow
def test_a_killed_process_is_named_and_the_checkpoint_goes_on(tmp_path):
    run = {"select_on": "last", "checkpoint_steps": 1}
    small = experiment(tmp_path, optim={"epochs": 10_000}, run=run)
    write_text(tmp_path / "small.yaml", to_yaml(small))
    first, second = start(free_port(), None, "tools/train.py", tmp_path / "small.yaml")
    while first.poll() is None and not list(tmp_path.glob("runs/small/*/checkpoints/resume.pt")):
        time.sleep(0.05)
    second.send_signal(signal.SIGKILL)
    assert second.wait() == -signal.SIGKILL, "it ended before it could be killed"
    (code, _, err), _ = ends([first, second])
    assert code == 1
    (folder,) = (tmp_path / "runs" / "small").iterdir()
    *_, line = err.splitlines()
    assert line.startswith(f"error: rank 1 (process {second.pid} on ")
    assert line.endswith(f"python tools/train.py {folder}, launched as before")
    assert err.count("error") == 1, err
    assert "Traceback" not in err
    small.run.max_steps = 1
    assert train(small, folder)["samples"] == 20
