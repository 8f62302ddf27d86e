"""What commands that take an experiment make of their arguments, and what they say of them: no heavy import."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from geo_lm4ve.files import UserError
from geo_lm4ve.invocation import as_typed, command
from geo_lm4ve.places import CONFIGS
from geo_lm4ve.shipped import GROUPS
from geo_lm4ve.words import failure

Result = TypeVar("Result")

USAGE = """
usage: {command} EXPERIMENT|RUN [key=value ...] [-m] [--cfg job]

  EXPERIMENT       an experiment file (it may live anywhere and use every shipped option), or the name of a shipped one
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


def usage(name: str, doc: str) -> str:
    """The help text of a command, of which ``doc`` says what it does."""
    experiments = "".join(f"  configs/{path.name}\n" for path in sorted(CONFIGS.glob("*.yaml")))
    rows = []
    for group in GROUPS:
        names = sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))
        rows.append(f"  {group + '=':8} {'|'.join(names)}\n")
    told = USAGE.format(command=command(name), experiments=experiments, options="".join(rows))
    return as_typed(doc).strip() + "\n" + told


def experiment_file(argument: str) -> Path | None:
    """The experiment file that a positional argument names.

    That is a YAML file, or a run folder's ``config.yaml``; else a shipped experiment, as ``NAME``, ``NAME.yaml`` or
    ``configs/NAME.yaml``: an installed package has no folder of that name beside it.
    """
    path = Path(argument)
    if folder := run_folder(argument):
        return (folder / "config.yaml").resolve()
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path.resolve()
    shipped = CONFIGS / f"{path.stem if path.suffix == '.yaml' else path.name}.yaml"
    named = path.parent in (Path(), Path("configs")) and not path.exists()
    return shipped.resolve() if named and shipped.is_file() else None


def run_folder(argument: str | Path) -> Path | None:
    """The run folder that an argument names, if it does."""
    return Path(argument) if (Path(argument) / "config.yaml").is_file() else None


def wants_help(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for the help text, whatever else it says."""
    return bool({"-h", "--help"} & set(arguments))


def friendly(main: Callable[[], Result]) -> Result:
    """What ``main`` returns; a UserError becomes one message and exit code 1, or GEO_LM4VE_TRACEBACK=1 shows all."""
    try:
        return main()
    except UserError as error:
        if os.environ.get("GEO_LM4VE_TRACEBACK"):
            raise
        print(failure(error), file=sys.stderr)
        raise SystemExit(1) from None
