"""What a resume checkpoint must hold before anything of it is loaded into a model or an optimiser."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.reading import Fields
from geo_lm4ve.torch_files import load_torch

FORMAT = 1


def read_resume(path: Path) -> dict[str, Any]:
    """The content of the file, whose checksums have been looked at: ``torch.load`` alone reads spoiled tensors.

    Raises:
        ValueError and what zipfile and torch raise: the caller adds the file.
    """
    with zipfile.ZipFile(path) as archive:
        if (bad := archive.testzip()) is not None:
            raise ValueError(f"{bad} in it does not match its checksum")
    content = load_torch(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it is of another format than {FORMAT}")
    if not all(isinstance(key, str) for key in content):
        raise ValueError("its keys are no texts")
    return content


def whole_position(position: Fields) -> dict[str, Any]:
    """The values of a ``checkpoint.Position``."""
    sums = position.fields("sums")
    best = {"best": None if position["best"] is None else position.number("best")}
    best_epoch = {"best_epoch": None if position["best_epoch"] is None else position.whole("best_epoch")}
    counts = {name: position.whole(name) for name in ("epoch", "step", "steps")}
    return {
        **counts, **best, **best_epoch,
        "sums": {str(name): sums.number(name) for name in sums.values}, "seconds": position.number("seconds"),
    }  # fmt: skip


def check_reference(reference: Fields) -> None:
    """A block reference as ``model.check_block`` takes it."""
    reference.text("source"), reference.text("sha256")
    if not isinstance(layers := reference["layers"], list) or not all(isinstance(layer, int) for layer in layers):
        raise ValueError(f"{reference.prefix}layers is not a list of numbers")


def check_tensors(stored: Fields, wanted: Mapping[str, Tensor]) -> None:
    """The same names, shapes and kinds of numbers as the model's."""
    if missing := sorted(wanted.keys() - stored.values.keys()):
        raise ValueError(f"{stored.prefix}{missing[0]} and {len(missing) - 1} others are missing: another model")
    if surplus := sorted(stored.values.keys() - wanted.keys()):
        raise ValueError(f"the model has no {stored.prefix}{surplus[0]} and {len(surplus) - 1} others: another model")
    for name, like in wanted.items():
        value = stored[name]
        if (
            not isinstance(value, Tensor)
            or value.shape != like.shape
            or value.dtype != like.dtype
            or value.layout != like.layout
        ):
            raise ValueError(f"{stored.prefix}{name} is {_kind(value)}, the model has {_kind(like)}")


def check_scaler(stored: Fields) -> None:
    """The state of ``torch.amp.GradScaler``."""
    for name in ("scale", "growth_factor", "backoff_factor"):
        stored.number(name)
    stored.whole("growth_interval"), stored.whole("_growth_tracker")


def parameters_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The parameters in the order in which a state dict numbers them."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def check_optimizer(stored: Fields, optimizer: torch.optim.Optimizer, parameters: list[Tensor]) -> None:
    """Groups as the optimiser's; for each parameter a state that fits it."""
    groups, wanted = stored["param_groups"], optimizer.state_dict()["param_groups"]
    if not isinstance(groups, list) or len(groups) != len(wanted):
        raise ValueError(f"optimizer.param_groups are not the {len(wanted)} of this optimiser")
    for number, (group, like) in enumerate(zip(groups, wanted)):
        if not isinstance(group, dict) or group.get("params") != like["params"]:
            raise ValueError(f"optimizer.param_groups[{number}] is not of this model's parameters")
        for name, value in like.items():
            found: Any = group.get(name)
            if not _alike(found, value) or (name == "betas" and not all(0 <= beta < 1 for beta in found)):
                raise ValueError(f"optimizer.param_groups[{number}] says {name}={str(found)[:60]}")
    state = stored["state"]
    if not isinstance(state, dict):
        raise ValueError("optimizer.state is not a mapping")
    for place, values in state.items():
        if type(place) is not int or not 0 <= place < len(parameters) or not isinstance(values, dict):
            raise ValueError(f"optimizer.state has an entry {str(place)[:60]!r} of no parameter")
        for name, value in values.items():
            if name == "step" and not float(value) >= 0:
                raise ValueError(f"optimizer.state[{place}].step is {float(value)}, below 0")
            factored = str(name).endswith("_var")  # Adafactor's have 1 in place of a dimension
            if isinstance(value, Tensor) and not _fits(value, parameters[place], factored):
                raise ValueError(f"optimizer.state[{place}].{name} is {_kind(value)}: of another model")


def _alike(value: Any, like: Any) -> bool:
    """Whether a setting of a group is of the same kind."""
    if isinstance(like, list | tuple):
        return isinstance(value, list | tuple) and len(value) == len(like) and all(map(_alike, value, like))
    if isinstance(like, bool | str | None):
        return isinstance(value, bool | None) if not isinstance(like, str) else value == like
    if isinstance(like, int | float):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return isinstance(value, type(like))


def _fits(value: Tensor, parameter: Tensor, factored: bool) -> bool:
    """A number, or as large as the parameter, with a place in memory for each element."""
    if value.layout != torch.strided or value.ndim not in (0, parameter.ndim):
        return False
    if any(size > 1 and not stride for size, stride in zip(value.shape, value.stride())):
        return False
    return all(size == full or (factored and size == 1) for size, full in zip(value.shape, parameter.shape))


def _kind(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
