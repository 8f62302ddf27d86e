"""One experiment: the typed whole of its parts, how it is composed from YAML, and how it is saved to run again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from geo_lm4ve.blocks.base import BlockConfig
from geo_lm4ve.bridge import BridgeConfig
from geo_lm4ve.config import GROUPS, ConfigError, plain
from geo_lm4ve.fit import check_fit
from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.encoder import EncoderConfig
from geo_lm4ve.parts.head import HeadConfig
from geo_lm4ve.parts.optim import OptimConfig
from geo_lm4ve.parts.run import RunConfig
from geo_lm4ve.parts.task import TaskConfig
from geo_lm4ve.words import line, unfit

SEEDS = 1 << 32
"""How many seeds there are: that of a training step, made of seed and step (``Trainer.seed_step``), has 64 bits."""


@dataclass
class ExperimentConfig:
    """Everything that determines a run.

    Attributes:
        name: names the run folder ``runs/<name>/``: one folder, so it holds no slash.
        seed: seeds weights, order, augmentation and dropout; from 0 to 2**32 - 1.
        data, encoder, block, bridge, head, task, optim, run: the parts, one per config group.
        choices: which option of each group was chosen, by name (filled in when the experiment is composed).
    """

    name: str = MISSING
    seed: int = 0
    data: DataConfig = MISSING
    encoder: EncoderConfig = MISSING
    block: BlockConfig = MISSING
    bridge: BridgeConfig = MISSING
    head: HeadConfig = MISSING
    task: TaskConfig = MISSING
    optim: OptimConfig = MISSING
    run: RunConfig = MISSING
    choices: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that is no folder's (run folders stay inside ``run.root``), and a seed out of range."""
        if self.name != MISSING and (reason := unfit(self.name)):
            raise ConfigError(
                f"name={self.name!r} {reason}: it must be able to name one folder below run.root; set another name=, "
                "and run.root= for where the folders of runs lie"
            )
        if not 0 <= self.seed < SEEDS:
            raise ConfigError(f"seed={self.seed} must be a whole number from 0 to {SEEDS - 1}")


ConfigStore.instance().store(group="schema", name="experiment", node=ExperimentConfig, package="_global_")


def typed(config: DictConfig, choices: dict[str, str] | None = None) -> ExperimentConfig:
    """The dataclass that a composed config describes.

    Raises:
        ConfigError: a field left unset, or parts that do not fit one another; names them.
    """
    if missing := sorted(OmegaConf.missing_keys(config)):
        raise ConfigError(f"the experiment leaves these unset: {', '.join(missing)}")
    experiment = cast(ExperimentConfig, OmegaConf.to_object(config))
    experiment.choices = {**(choices or {}), **experiment.choices}
    check_fit({group: getattr(experiment, group) for group in GROUPS}, experiment.choices)
    return experiment


def reopened(saved: DictConfig, chosen: Mapping[str, str]) -> DictConfig | None:
    """A saved experiment with options in place of the values that it has of some groups; None if it is not saved.

    Args:
        saved: a file of ``to_yaml``, as it was read; in other experiments any option can be chosen anyway.
        chosen: option by group.
    """
    named = [re.fullmatch(r"/schema/(\w+)/\w+", str(parent)) for parent in saved.get("defaults") or ()]
    rows = {match[1]: row for row, match in enumerate(named) if match and match[1] in chosen}
    if not rows:
        return None
    opened = saved.copy()
    for group, row in rows.items():
        opened.defaults[row] = {group: chosen[group]}
        opened.pop(group, None)
        if isinstance(opened.get("choices"), DictConfig):
            opened.choices.pop(group, None)
    return opened


def to_yaml(experiment: ExperimentConfig, header: str = "") -> str:
    """An experiment file that composes to exactly ``experiment``, whatever the shipped options become later."""
    values: dict[str, Any] = _literal(plain(experiment))
    parents = ["/schema/experiment", *(f"/schema/{group}/{values[group]['name']}" for group in GROUPS), "_self_"]
    comment = "".join(f"# {line(row)}\n" for row in header.splitlines())
    return comment + OmegaConf.to_yaml(OmegaConf.create({"defaults": parents, **values}))


def _literal(value: Any) -> Any:
    """Plain values whose texts mean themselves: ``${`` would name another value of the file."""
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value
