"""Lets ``geo-lm4ve COMMAND EXPERIMENT|RUN key=value ...`` mean what it says (Hydra underneath)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from geo_lm4ve.changes import changes, check_changes, combinations, mistake, values_of
from geo_lm4ve.config import GROUPS, ConfigError
from geo_lm4ve.defaults import load_named
from geo_lm4ve.experiment import ExperimentConfig, reopened, typed
from geo_lm4ve.files import alive
from geo_lm4ve.mistakes import not_an_experiment, shortened
from geo_lm4ve.places import CONFIGS
from geo_lm4ve.reading import reader, reading
from geo_lm4ve.shipped import load_parts
from geo_lm4ve.usage import experiment_file, friendly, run_folder
from geo_lm4ve.yaml_file import read_yaml

_TOLD = ("help", "hydra_help", "overrides", "runtime", "searchpath")
"""Parts of Hydra's own configuration that start nothing."""


def hydra_arguments(path: Path, rest: Sequence[str], sweeps: Path) -> list[str]:
    """Hydra's own flags for an experiment file, what else there is for Hydra, and ``sweeps`` for files of its own."""
    rest = sorted(rest, key=lambda argument: "=" in argument)  # argparse wants the overrides in one piece: flags first
    quiet = ["hydra/job_logging=none", "hydra/hydra_logging=none"]
    folders = ["hydra.run.dir=.", "hydra.output_subdir=null", "hydra.job.chdir=false"]
    folders += [f"hydra.sweep.dir={_quoted(str(sweeps))}", "hydra.sweep.subdir=."]
    flags = [f"--config-path={path.parent}", f"--config-name={primary(path, rest)}", f"--config-dir={CONFIGS}"]
    return [*flags, *rest, *quiet, *folders]


def _quoted(path: str) -> str:
    """A path as a value of Hydra's override grammar, in which brackets, commas and others are signs."""
    return QuotedString(path, Quote.single).with_quotes()


def chosen_options(hydra_config: Any) -> dict[str, str]:
    """Option name per config group, as Hydra composed it (a saved run names its own)."""
    choices = hydra_config.runtime.choices
    return {group: str(choices[group]) for group in GROUPS if choices.get(group)}


def load(argument: Path, overrides: Sequence[str] = ()) -> tuple[ExperimentConfig, Path | None]:
    """What ``run`` gives to its ``main``, for tools with arguments of their own.

    Args:
        argument: experiment file, run folder, or the name of a shipped experiment.
        overrides: ``key=value``, as on the command line.

    Raises:
        UserError: it is neither, or an override does not fit.
    """
    path = experiment_file(str(argument))
    if path is None:
        raise not_an_experiment(str(argument))
    check_changes(overrides, sweeps=False)
    config = composed(path, overrides)
    choices = chosen_options(config.hydra)
    with open_dict(config):
        del config["hydra"]
    with reading(path, ConfigError, "an experiment", "mend it"):
        try:
            experiment = typed(config, choices)
        except OmegaConfBaseException as error:
            raise ConfigError(f"{argument}: {shortened(error)}") from error
        except ConfigError as error:
            error.add_note(f"the experiment is {path}")
            raise
    return experiment, run_folder(argument)


def composed(path: Path, overrides: Sequence[str]) -> DictConfig:
    """What Hydra makes of an experiment file, with its own part ``hydra``, in which the file has no say.

    Raises:
        ConfigError: it cannot be composed, or an override cannot be meant; or the file sets something of ``hydra``:
            what Hydra builds for itself can be any function.
    """
    again = partial(_composed, path)
    try:
        config = again(overrides)
    except ConfigError as error:
        if wrong := mistake(overrides, again):
            raise wrong from error
        raise
    if any(one.sign for one in changes(overrides)) and (wrong := mistake(overrides, again)):
        raise wrong  # Hydra adds any key, and nobody reads it
    return config


@reader(ConfigError, "an experiment", "mend it")
def _composed(path: Path, overrides: Sequence[str]) -> DictConfig:
    read_yaml(path)
    load_named(path, overrides)
    search = f"hydra.searchpath=[{_quoted(f'file://{CONFIGS}')}]"
    own = [override for override in overrides if override.lstrip("+~").startswith("hydra")]
    try:
        with initialize_config_dir(str(path.parent), version_base="1.3"):
            config = _compose(primary(path, overrides), [*overrides, search])
            plain = compose(None, [*own, search], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{path}: {shortened(error)}") from error
    found, wanted = _startup(config), _startup(plain)
    if changed := sorted(part for part in found if found[part] != wanted.get(part)):
        raise ConfigError(
            f"{path} (or an option it names) sets hydra.{changed[0]}: how Hydra starts is said on the command line "
            "alone, since it may start any function; take it out"
        )
    return config


def _compose(name: str, overrides: list[str]) -> DictConfig:
    """What Hydra composes, with all parts at hand if those that are named in plain words do not suffice."""
    try:
        return compose(name, overrides, return_hydra_config=True)
    except MissingConfigException:
        load_parts()
        return compose(name, overrides, return_hydra_config=True)


def primary(path: Path, overrides: Sequence[str]) -> str:
    """The name under which Hydra finds an experiment: its file's, or of a copy whose saved parts can be chosen again.

    A saved experiment names the values of its parts, not the options that they came from; where an override chooses
    another option of a group, that part is left to it.
    """
    chosen = {one.key: one.text for one in changes(overrides) if one.key in GROUPS}
    saved = reopened(read_yaml(path), {group: values_of(text)[0].partition("=")[2] for group, text in chosen.items()})
    if saved is None:
        return path.stem
    name = f"{path.stem}-{hashlib.sha256(f'{path} {chosen}'.encode()).hexdigest()[:16]}"
    ConfigStore.instance().store(name, saved)
    return name


def _startup(config: DictConfig) -> dict[str, Any]:
    """What Hydra does with itself, without what it only says or knows."""
    values = cast("dict[str, Any]", OmegaConf.to_container(config.hydra, resolve=False))
    kept = {part: value for part, value in values.items() if part not in _TOLD}
    return {**kept, "job": {part: values["job"][part] for part in ("chdir", "env_copy", "env_set")}}


def run(main: Callable[[ExperimentConfig, Path | None], object], argument: str, rest: Sequence[str]) -> None:
    """Compose, check and type the experiment that a command line names; call ``main`` with it and its run folder.

    Args:
        main: called once, or for every combination of a sweep.
        argument: the experiment or run.
        rest: what else the command line holds (``arguments.divided``).
    """
    flags = [one for one in rest if one.startswith("-")]
    if not flags:
        friendly(lambda: main(*load(Path(argument), rest)))
        return
    path, folder = cast(Path, experiment_file(argument)), run_folder(argument)
    for some in combinations([one for one in rest if "=" in one and one not in flags]):
        friendly(partial(composed, path, some))
    friendly(lambda: load_named(path, rest))  # those of a sweep too

    def job(config: DictConfig) -> None:
        friendly(lambda: main(typed(config, chosen_options(HydraConfig.get())), folder))

    with multirun_folder() as sweeps:
        sys.argv[1:] = hydra_arguments(path, rest, sweeps)
        hydra.main(version_base="1.3", config_path=None)(job)()


@contextlib.contextmanager
def multirun_folder() -> Iterator[Path]:
    """Where Hydra may write its ``multirun.yaml``, for as long as it runs; the runs keep their full configs."""
    begin = "geo_lm4ve-multirun-"
    for left in Path(tempfile.gettempdir()).glob(f"{begin}*"):
        owner = left.name.removeprefix(begin).split("-")[0]
        if owner.isdecimal() and not alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)  # it may be another user's
    with tempfile.TemporaryDirectory(prefix=f"{begin}{os.getpid()}-") as folder:
        yield Path(folder)
