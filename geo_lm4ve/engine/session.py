"""One process group, one run folder, one announcement of what was chosen."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, broadcast_object_list, gather_object
from rich.console import Console
from torch.nn.modules.dropout import _DropoutNd

from geo_lm4ve.config import ConfigError
from geo_lm4ve.engine.fellows import introduce
from geo_lm4ve.experiment import ExperimentConfig
from geo_lm4ve.files import UserError, write_json
from geo_lm4ve.geometry import kernels
from geo_lm4ve.layers.transformer import DropPath
from geo_lm4ve.model import Model
from geo_lm4ve.parts.data import DataConfig, DataSource
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.threads import waiting
from geo_lm4ve.words import marked


class Session:
    """The processes of one run.

    Attributes:
        accelerator: devices, distribution and precision (Accelerate).
        console: prints on the main process only.
    """

    def __init__(self, run: RunConfig, accumulate: int = 1):
        choose_device(run.device)
        self.accelerator = Accelerator(
            cpu=run.device == "cpu" or not torch.accelerator.is_available(),
            mixed_precision=run.precision.name,
            gradient_accumulation_steps=accumulate,
            kwargs_handlers=[DistributedDataParallelKwargs(gradient_as_bucket_view=True)],
        )
        if self.world > 1:
            introduce()
        self.console = Console(quiet=not self.main, soft_wrap=True)

    @property
    def main(self) -> bool:
        """True on the process that writes files."""
        return self.accelerator.is_main_process

    @property
    def rank(self) -> int:
        """This process."""
        return self.accelerator.process_index

    @property
    def world(self) -> int:
        """Number of processes."""
        return self.accelerator.num_processes

    @property
    def device(self) -> torch.device:
        """This process's device."""
        return self.accelerator.device

    def sum(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors summed over processes (on the CPU)."""
        if self.world == 1:
            return dict(tensors)
        return {
            key: self.accelerator.reduce(value.to(self.device), "sum").cpu() for key, value in sorted(tensors.items())
        }

    def gather(self, items: list[Any]) -> list[Any]:
        """The items of all processes, on every process."""
        return gather_object(items) if self.world > 1 else items

    def any(self, flag: bool) -> bool:
        """True if the flag is set on any process."""
        if self.world == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.device), "sum").item())

    def build_data(self, config: DataConfig) -> DataSource:
        """The data source; what it prepares on first use is prepared by the main process alone."""
        with self.accelerator.main_process_first():
            return config.build()

    def new_folder(self, experiment: ExperimentConfig, root: str) -> Path:
        """``<root>/<experiment>/<time>-<seed>``, chosen and made by the main process, known to all."""
        chosen: list[Any] = [None]
        if self.main:
            stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{experiment.seed}"
            parent = Path(root) / experiment.name
            chosen[0] = _make_unique(parent, stamp)
        if self.world > 1:
            broadcast_object_list(chosen)
        return Path(chosen[0])


def devices() -> list[str]:
    """What ``run.device`` can name here besides ``auto``."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    numbered = [] if found is None else [f"{found.type}:{index}" for index in range(torch.accelerator.device_count())]
    return ["cpu", *([] if found is None else [found.type]), *numbered]


def choose_device(name: str) -> None:
    """Make the named one the device that everything is put on; ``auto`` and ``cpu`` leave it to Accelerate.

    Raises:
        ConfigError: there is no such device, or one of several processes cannot choose.
    """
    if name in ("auto", "cpu"):
        return
    if name not in devices():
        raise ConfigError(f"run.device={name} is not there; this machine has {', '.join(devices())} (auto: the best)")
    kind, _, index = name.partition(":")
    if index and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(f"run.device={name}: each of several processes takes its own; set run.device={kind} or auto")
    if index:
        torch.accelerator.set_device_index(int(index))


def _make_unique(parent: Path, stamp: str) -> Path:
    """Two runs may start within a second: the second gets ``.1``."""
    for attempt in range(1000):
        folder = parent / (stamp if attempt == 0 else f"{stamp}.{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
            raise UserError(f"cannot make the run folder {folder}: {error}; choose another run.root=") from error
        return folder
    raise UserError(f"{parent / stamp} and 999 numbered variants exist already")


def commit() -> str:
    """Commit of the package's own checkout (``+dirty`` if changed), or ``version X`` for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return f"version {version('geo_lm4ve')}"

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "HEAD").strip() + ("+dirty" if git("status", "--porcelain", "-uno").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return f"version {version('geo_lm4ve')}"


def device_name(device: torch.device) -> str:
    """Kind and model of a device."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return f"{device.type} ({name})"


def environment(session: Session) -> dict[str, Any]:
    """The circumstances of a run's numbers."""
    packages = ("torch", "transformers", "accelerate", "numpy", "torch-geometric")
    return {
        "commit": commit(),
        "device": device_name(session.device),
        "processes": session.world,
        "threads": torch.get_num_threads(),
        "waiting": waiting(),
        "host_cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in packages},
        "kernels": kernels.announce(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def drawn(model: Model) -> str:
    """What of a training step depends on the number of processes: what a layer draws at random."""
    dropout = any(isinstance(layer, _DropoutNd) and layer.p for layer in model.modules())
    path = any(isinstance(layer, DropPath) and layer.rate for layer in model.modules())
    return ", ".join(["dropout"] * dropout + ["drop path"] * path) or "nothing"


def greet(session: Session, experiment: ExperimentConfig) -> None:
    """The first line of the announcement, at once: data, blocks and optimisers may take their time."""
    _say(session, "experiment", f"{experiment.name}, seed {experiment.seed}")


def _say(session: Session, key: str, value: str) -> None:
    session.console.print(marked((f"{key:>12}", "bold"), "  ", value))


def announce(
    session: Session,
    experiment: ExperimentConfig,
    model: Model,
    folder: Path,
    data: str,
    more: Mapping[str, str] | None = None,
) -> None:
    """Say once, after ``greet``, what was chosen (law 14) and keep it in ``environment.json``.

    ``data`` is as ``provenance.said`` has it; ``more`` has what is to be said beside what every run says.
    """
    facts = environment(session)
    reference = model.bridge.block.reference
    count = model.count()
    block = experiment.choices.get("block", experiment.block.name)
    if reference is not None:
        block += f": layers {list(reference.layers)} of {reference.source}, sha256 {reference.sha256[:16]}"
    rows = {
        "data": data,
        "block": block,
        **model.encoder.chosen,
        **(more or {}),
        "parameters": f"{count['trainable']:,} trainable, {count['frozen']:,} frozen",
        "device": f"{facts['device']}, {session.world} process(es), {facts['threads']} threads "
        f"(waiting: {facts['waiting']}), mixed precision {session.accelerator.mixed_precision}",
        "kernels": ", ".join(f"{name}: {choice}" for name, choice in facts["kernels"].items()),
        "run folder": str(folder),
    }
    if session.world > 1:
        rows["processes"] = f"{session.world} take the steps of one; each draws by itself: {drawn(model)}"
    for key, value in rows.items():
        _say(session, key, value)
    if session.main:
        write_json(folder / "environment.json", facts)
