"""Finished runs on disk: ``results.json`` files, and what tells one run from another."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_lm4ve.config import GROUPS
from geo_lm4ve.files import UserError
from geo_lm4ve.run_files import CONFIG, RESULTS, RunError, read_results

UNTRAINED = "nothing to train"
"""Said of a model without trained weights, for the checkpoint and for the training data."""
_STAMP = re.compile(r"\d{8}-\d{6}-\d+(\.\d+)?$")

_WHERE_AND_HOW_OFTEN = ("root", "device", "checkpoint_every", "checkpoint_steps", "pictures", "trackers", "cost")
NO_SETTING = frozenset({"seed", *(f"run.{name}" for name in _WHERE_AND_HOW_OFTEN)})
"""Config keys that say where and how often, not what: runs that differ in them alone are the same experiment."""


class ReportError(UserError, ValueError):
    """Runs that cannot be compared as asked."""


@dataclass(frozen=True)
class Run:
    """One finished run.

    Attributes:
        folder: where it lies.
        results: the content of its ``results.json``.
    """

    folder: Path
    results: Mapping[str, Any]

    @property
    def seed(self) -> int | None:
        """The seed, or None if the file does not say."""
        return self.results.get("seed")

    @property
    def metrics(self) -> Mapping[str, float]:
        """Flat metric names -> values."""
        return self.results["metrics"]

    @property
    def settings(self) -> dict[str, str]:
        """What was chosen: option labels (``block``), then all values of the config by dotted key, as text."""
        chosen = {"block": self.results.get("block"), **self.results.get("choices", {})}
        labels = {group: str(chosen[group]) for group in ("block", *GROUPS) if chosen.get(group) is not None}
        name = {"experiment": str(self.results["experiment"])} if "experiment" in self.results else {}
        config = {key: value for key, value in self.results.get("config", {}).items() if key not in ("choices", "name")}
        flat = {key: text for key, text in flatten(config).items() if key not in NO_SETTING}
        return {**labels, **name, **flat, **self.trained_on}

    @property
    def trained_on(self) -> dict[str, str]:
        """``trained_on.data``, and ``trained_on.root`` where the training data lay elsewhere than the scored data."""
        recorded = self.results.get("trained_on")
        if recorded is None:  # written before this was recorded: only an evaluation names a checkpoint
            checkpoint = self.results.get("protocol", {}).get("checkpoint")
            told = {None: self.results.get("data"), UNTRAINED: UNTRAINED}.get(checkpoint, "not recorded")
            return {} if told is None else {"trained_on.data": told}
        root = recorded.get("data_root")
        elsewhere = root is not None and root != self.results.get("data_root")
        return {"trained_on.data": titles(recorded), **({"trained_on.root": root} if elsewhere else {})}


@dataclass(frozen=True)
class Collection:
    """All runs below a folder.

    Attributes:
        runs: finished ones, sorted by folder.
        unfinished: run folders without ``results.json``.
        unreadable: run folder -> why its ``results.json`` cannot be used.
    """

    runs: list[Run]
    unfinished: list[Path]
    unreadable: dict[Path, str]


def collect(root: Path | str) -> Collection:
    """The runs below ``root`` (the folder of all runs, of one experiment, or one run).

    Evaluations inside a run folder are not runs of their own; collect them by naming their folder.

    Raises:
        ReportError: there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise ReportError(f"no folder {root}; runs are written to runs/<experiment>/ by tools/train.py")
    collection = Collection([], [], {})
    for folder in _run_folders(root):
        if not (folder / RESULTS).is_file():
            collection.unfinished.append(folder)
            continue
        try:
            collection.runs.append(Run(folder, read_results(folder / RESULTS)))
        except RunError as error:
            collection.unreadable[folder] = str(error)
    return collection


def titles(trained_on: Mapping[str, Any]) -> str:
    """What a record of ``trained_on`` calls the training data, one title after the other; else its note."""
    if trained_on["data"] is None:
        return str(trained_on["note"])
    return ", then ".join([*(str(past["data"]) for past in trained_on.get("earlier", [])), str(trained_on["data"])])


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings as dotted keys, values as text."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = json.dumps(value) if isinstance(value, (list, tuple, bool)) else str(value)
    return flat


def _run_folders(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        if RESULTS in files or CONFIG in files or (_STAMP.match(Path(folder).name) and not folders):
            folders.clear()
            yield Path(folder)
        folders.sort()
