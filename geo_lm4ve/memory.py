"""What building a module asks of memory: an absurd size in a config is refused before it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch.overrides import TorchFunctionMode

Built = TypeVar("Built")

_GIB = 1 << 30
_FACTORIES = frozenset(
    (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint, torch.arange,
     torch.linspace, torch.eye, torch.empty_strided)
)  # fmt: skip
_DRAWN = (torch.rand, torch.randn)
"""Of them, those that draw: for a shape alone torch would import a second's worth of modules."""
_WIDEST = 4
"""A weight takes four bytes when a model is built and one at least in a file."""
_SPARE = 1 << 26
"""Bytes of what is made on the way, or is in no file."""
_MOST_TENSORS = 5_000
"""Tensors that one model may consist of; the deepest shipped ones have some hundreds."""

_READING = ContextVar("reading", default=False)
"""Whether what is made now comes out of files."""


@contextmanager
def out_of_files() -> Iterator[None]:
    """For what a module reads while it is built: it is made even in a rehearsal, and its tensors do not count.

    Their sizes are bounded by the files; whoever reads them has to see to that.
    """
    before = _READING.set(True)
    try:
        yield
    finally:
        _READING.reset(before)


class TooLargeError(ValueError):
    """A config asks for more memory than there can be; the message names its largest number."""


class Asking(TorchFunctionMode):
    """While it is entered, every tensor that a factory of torch makes is counted before it gets its memory.

    Attributes:
        config: what is built from, in plain values; its largest number is what a refusal points at.
        most: bytes that may be asked for in all.
        asked: bytes that have been.
        rehearsed: the tensors get no memory at all (they are on ``meta``).
    """

    def __init__(self, config: Any, most: int | None = None, *, rehearsed: bool = False) -> None:
        """``most=None``: the memory of this machine."""
        super().__init__()
        self.config, self.most, self.asked = config, machine_memory() if most is None else most, 0
        self.rehearsed = rehearsed
        self._tensors = 0

    def build(self, make: Callable[[], Built]) -> Built:
        """What ``make`` builds, after a rehearsal without memory that says how much it asks for.

        Raises:
            TooLargeError: more than can be had.
        """
        self.rehearse(make)
        return make()

    def rehearse(self, make: Callable[[], Built]) -> Built | None:
        """What ``make`` builds, without memory; None where it fails without.

        Raises:
            TooLargeError: more than can be had.
        """
        self.rehearsed = True
        try:
            with self:
                return make()
        except TooLargeError:
            raise
        except Exception:  # noqa: BLE001
            return None  # what looks at values cannot be rehearsed, and what is wrong is so again

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Count, then make it."""
        given = dict(kwargs or {})
        counts = func in _FACTORIES and given.get("out") is None and str(given.get("device")) != "meta"
        if counts and not _READING.get():
            counted = {key: value for key, value in given.items() if key not in ("generator", "pin_memory")}
            tensor = (torch.empty if func in _DRAWN else func)(*args, **(counted | {"device": "meta"}))
            self._count(tensor)
            if self.rehearsed:
                return tensor
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


def room_for(weights: Iterable[torch.Tensor]) -> int:
    """Bytes that a model may ask for whose trained weights are these."""
    return _WIDEST * sum(tensor.nbytes for tensor in weights) + _SPARE


def machine_memory() -> int:
    """Bytes of memory that this machine has; where the system does not say, more than any has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 1 << 50
