"""Lets ``python tools/<tool>.py EXPERIMENT.yaml|RUN key=value ...`` mean what it says (Hydra underneath)."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from geo_lm4ve.config import GROUPS, ConfigError
from geo_lm4ve.experiment import ExperimentConfig, typed
from geo_lm4ve.files import UserError
from geo_lm4ve.options import CONFIGS
from geo_lm4ve.shipped import load_parts
from geo_lm4ve.words import failure

FLAGS_WITH_VALUE = ("--cfg", "-c", "--info", "-i", "--package", "-p")

USAGE = """
usage: python {tool} EXPERIMENT.yaml|RUN [key=value ...] [-m] [--cfg job]

  EXPERIMENT.yaml  an experiment file; it may live anywhere and use every shipped option
  RUN              a run folder (runs/<experiment>/<time>-<seed>)
  key=value        changes one value (optim.epochs=20) or picks an option (block=identity)
  -m               runs every combination of comma-separated values: -m seed=0,1,2 block=identity,smollm2_135m
  --cfg job        prints the composed experiment and stops
  --info defaults-tree   prints which file each part comes from

shipped experiments:
{experiments}
options:
{options}
"""


def usage(tool: str, doc: str) -> str:
    """The help text of a tool."""
    experiments = "".join(f"  configs/{path.name}\n" for path in sorted(CONFIGS.glob("*.yaml")))
    rows = []
    for group in GROUPS:
        names = sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))
        rows.append(f"  {group + '=':8} {'|'.join(names)}\n")
    return doc.strip() + "\n" + USAGE.format(tool=tool, experiments=experiments, options="".join(rows))


def experiment_file(argument: str) -> Path | None:
    """The experiment file that a positional argument names (a YAML file, or a run folder's ``config.yaml``)."""
    path = Path(argument)
    if path.is_dir() and (path / "config.yaml").is_file():
        return (path / "config.yaml").resolve()
    return path.resolve() if path.suffix in (".yaml", ".yml") and path.is_file() else None


def hydra_arguments(arguments: Sequence[str], tool: str, doc: str) -> tuple[list[str], Path | None]:
    """Turn the one positional into Hydra's own flags and leave the rest to Hydra; also the run folder if it was one."""
    if {"-h", "--help"} & set(arguments):
        print(usage(tool, doc))
        raise SystemExit(0)
    positional = [one for one in arguments if not one.startswith("-") and ("=" not in one or experiment_file(one))]
    values_of_flags = {value for flag, value in pairwise(arguments) if flag in FLAGS_WITH_VALUE}
    positional = [argument for argument in positional if argument not in values_of_flags]
    if len(positional) != 1 or (path := experiment_file(positional[0])) is None:
        print(usage(tool, doc), file=sys.stderr)
        raise SystemExit(f"error: expected one experiment file or run folder, got {positional or 'none'}")
    rest = [argument for argument in arguments if argument != positional[0]]
    rest.sort(key=lambda argument: "=" in argument)  # argparse takes the overrides only in one piece, so flags go first
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    folders = ["hydra.run.dir=.", "hydra.output_subdir=null", "hydra.job.chdir=false"]
    if {"-m", "--multirun"} & set(rest):  # Hydra writes a multirun.yaml of its own; the runs keep their full configs
        folders += [
            f"hydra.sweep.dir={_quoted(tempfile.mkdtemp(prefix='geo_lm4ve-multirun-'))}",
            "hydra.sweep.subdir=.",
        ]
    flags = [f"--config-path={path.parent}", f"--config-name={path.stem}", f"--config-dir={CONFIGS}"]
    folder = Path(positional[0]) if Path(positional[0]).is_dir() else None
    return [*flags, *rest, *quiet, *folders], folder


def _quoted(path: str) -> str:
    """A path as a value of Hydra's override grammar, in which brackets, commas and others are signs."""
    return QuotedString(path, Quote.single).with_quotes()


def chosen_options(hydra_config: Any) -> dict[str, str]:
    """Option name per config group, as Hydra composed it (a saved run names its own)."""
    choices = hydra_config.runtime.choices
    return {group: str(choices[group]) for group in GROUPS if choices.get(group)}


def friendly(main: Callable[[], object]) -> None:
    """Call ``main``; a UserError becomes one message and exit code 1 (GEO_LM4VE_TRACEBACK=1 shows the traceback)."""
    try:
        main()
    except UserError as error:
        if os.environ.get("GEO_LM4VE_TRACEBACK"):
            raise
        print(failure(error), file=sys.stderr)
        raise SystemExit(1) from None


def load(argument: Path, overrides: Sequence[str] = ()) -> tuple[ExperimentConfig, Path | None]:
    """What ``run`` gives to its ``main``, for tools with arguments of their own.

    Args:
        argument: experiment file or run folder.
        overrides: ``key=value``, as on the command line.

    Raises:
        UserError: it is neither, or an override does not fit.
    """
    path = experiment_file(str(argument))
    if path is None:
        raise UserError(f"{argument} is neither an experiment file (.yaml) nor a run folder (with config.yaml)")
    load_parts()
    search = f"hydra.searchpath=[{_quoted(f'file://{CONFIGS}')}]"
    try:
        with initialize_config_dir(str(path.parent), version_base="1.3"):
            config = compose(path.stem, [*overrides, search], return_hydra_config=True)
            choices = chosen_options(config.hydra)
            with open_dict(config):
                del config["hydra"]
            experiment = typed(config, choices)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{argument}: {error}") from error
    return experiment, Path(argument) if Path(argument).is_dir() else None


def run(main: Callable[[ExperimentConfig, Path | None], object], doc: str) -> None:
    """Compose, check and type the experiment named on the command line; call ``main`` with it and its run folder."""
    load_parts()
    tool = os.path.relpath(sys.argv[0])
    sys.argv[1:], folder = hydra_arguments(sys.argv[1:], tool, doc)

    def job(config: DictConfig) -> None:
        friendly(lambda: main(typed(config, chosen_options(HydraConfig.get())), folder))

    hydra.main(version_base="1.3", config_path=None)(job)()
