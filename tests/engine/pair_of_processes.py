"""What tests want to know of two processes, each started by itself with the environment that torchrun sets.

    python tests/engine/pair_of_processes.py FOLDER

Trains small experiments for twenty steps and normalises uneven batches; the first process writes FOLDER/pair.pt.
"""

import os
import subprocess
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from small_runs import ROOT, experiment
from torch import nn

from geo_lm4ve.engine.trainer import Trainer
from geo_lm4ve.layers.batch_norm import SynchronisedBatchNorm

SCENES = {"train": 16, "val": 5}
STEPS = 20
EXPERIMENTS = {
    "points": {
        "data": {"val_fraction": 0.0},
        "encoder": {"drop_path": 0.0},
        "head": {"dropout": 0.0, "norm": "batch"},
        "optim": {"batch_size": 8, "epochs": 5, "clip_norm": 1.0, "ema_decay": 0.9},
    },
    "vectornet": {
        "data": ("synthetic_traffic", SCENES),
        "encoder": ("vectornet", {"widths": [4, 8]}),
        "head": ("vectornet", {}),
        "task": ("forecast", {}),
        "optim": {"batch_size": 4, "epochs": 5, "clip_norm": 1.0},
    },
    "mmtransformer": {
        "data": ("synthetic_traffic_mmtransformer", SCENES),
        "encoder": ("mmtransformer_small", {"dim": 16}),
        "head": ("mmtransformer", {}),
        "task": ("forecast", {}),
        "optim": {"batch_size": 4, "epochs": 5, "clip_norm": 1.0},
    },
}
NORMS = {"plain": {}, "cumulative": {"momentum": None}, "bare": {"affine": False}}
SHARES = (slice(0, 3), slice(3, 8))


def small(folder, name, **optim):
    """One of the experiments; made-up scenes go only into a folder of their own."""
    changes = dict(EXPERIMENTS[name])
    if name != "points":
        option, values = changes["data"]
        changes["data"] = (option, {**values, "root": str(folder / "scenes")})
    changes["optim"] = {**changes["optim"], **optim}
    run = {"select_on": "last", "max_steps": STEPS, "split": "test" if name == "points" else "val"}
    return experiment(folder, **changes, run=run)


def steps(folder, name, **optim):
    """Loss and parts of every step over all processes, what was scored after them, and how many."""
    trainer = Trainer(small(folder, name, **optim))
    rows, end_step = [], trainer.end_step

    def recorded():
        stop = end_step()
        rows.append(trainer.means())
        trainer.position.sums = {}
        return stop

    trainer.end_step = recorded
    while not trainer.out_of_steps:
        trainer.epoch()
        trainer.position.epoch, trainer.position.step = trainer.position.epoch + 1, 0
    evaluation = trainer.score(trainer.run.split)
    return rows, evaluation.metrics, evaluation.samples


def batches(dtype=torch.float64):
    """Inputs (8, 3, 5) far from zero, and what the outputs' gradients are, in two passes."""
    random = torch.Generator().manual_seed(0)
    return [100 + torch.randn(2, 8, 3, 5, generator=random, dtype=dtype) for _ in range(2)]


def normalised(norm, share=slice(None)):
    """Everything a batch norm does with a share of the batches: outputs, gradients, state."""
    if norm.weight is not None:
        nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(1))
    made = []
    for x, towards in batches():
        x = x[share].clone().requires_grad_()
        y = norm(x)
        (y * towards[share]).sum().backward()
        made += [y.detach(), x.grad]
    made.append(norm.eval()(batches()[0][0][share]).detach())
    return made, [p.grad for p in norm.parameters()], dict(norm.state_dict())


def norms():
    """The same in both processes, gathered."""
    own = {}
    for name, options in NORMS.items():
        norm = SynchronisedBatchNorm.of(nn.BatchNorm1d(3, **options, dtype=torch.float64))
        own[name] = normalised(norm, SHARES[dist.get_rank()])
    both = [None, None]
    dist.all_gather_object(both, own)
    return both


def start(port, folder, *command):
    """Two processes that know one another, without a launcher above them."""
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command or (__file__, folder))], cwd=ROOT, text=True,
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank), "PYTHONPATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]  # fmt: skip


def main(folder):
    """See above; in float64, where rounding in another order stays far below what a test looks for."""
    torch.set_default_dtype(torch.float64)
    made = {name: steps(folder, name) for name in EXPERIMENTS}
    made["accumulated"] = steps(folder, "vectornet", accumulate=2)
    made["norms"] = norms()
    if dist.get_rank() == 0:
        torch.save(made, folder / "pair.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
