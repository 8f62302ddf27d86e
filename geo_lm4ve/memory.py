"""What building a module asks of memory: an absurd size in a config is refused before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_GIB = 1 << 30
_FACTORIES = frozenset(
    (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.arange,
     torch.linspace, torch.eye, torch.empty_strided)
)  # fmt: skip
_MOST_TENSORS = 20_000
"""Tensors that one model may consist of; the deepest shipped ones have some hundreds."""


class TooLargeError(ValueError):
    """A config asks for more memory than there can be; the message names its largest number."""


class Asking(TorchFunctionMode):
    """While it is entered, every new tensor is counted before it gets its memory.

    It costs a few microseconds per tensor that a factory of torch makes; what is read from files passes by.

    Attributes:
        config: what is built from, in plain values; its largest number is what a refusal points at.
        most: bytes that may be asked for in all.
        asked: bytes that have been.
    """

    def __init__(self, config: Any, most: int | None = None) -> None:
        """``most=None``: the memory of this machine."""
        super().__init__()
        self.config, self.most, self.asked = config, machine_memory() if most is None else most, 0
        self._tensors = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count, then make it."""
        given = dict(kwargs or {})
        if func in _FACTORIES and given.get("out") is None and str(given.get("device")) != "meta":
            counted = {key: value for key, value in given.items() if key not in ("generator", "pin_memory")}
            self._count(func(*args, **(counted | {"device": "meta"})))
        return func(*args, **given)

    def _count(self, tensor: torch.Tensor) -> None:
        self.asked += tensor.nbytes
        self._tensors += 1
        if self.asked > self.most:
            sizes = f"{self.asked / _GIB:,.2f} GiB with a tensor of {' x '.join(map(str, tensor.shape))}"
            raise TooLargeError(f"it would take {sizes}, {self.most / _GIB:,.2f} GiB can be had{self._largest()}")
        if self._tensors > _MOST_TENSORS:
            raise TooLargeError(f"it would consist of over {_MOST_TENSORS:,} tensors{self._largest()}")

    def _largest(self) -> str:
        numbers = {key: value for key, value in _numbers(self.config, "") if not key.endswith("seed")}
        name = max(numbers, key=lambda key: numbers[key], default=None)
        return "" if name is None else f"; its largest number is {name}={numbers[name]}"


def _numbers(value: Any, name: str) -> Iterable[tuple[str, int]]:
    """Every whole number in nested mappings and lists, with its name."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, value


def machine_memory() -> int:
    """Bytes of memory that this machine has; where the system does not say, more than any has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 50
