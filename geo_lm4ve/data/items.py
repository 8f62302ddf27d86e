"""Samples read one by one from a map-style data set: anything with ``__len__`` and ``__getitem__`` of a row number.

What is random in a sample depends on (seed, epoch, row) alone, by a generator that is handed to ``augment``. A
``__getitem__`` that draws from the global generators, as torchvision's transforms do, gets them seeded by the same
keys; that takes a process in which nothing else draws meanwhile, so not several threads.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic

import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import IterableDataset

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.loaders import NAMED, Draw, Made
from geo_lm4ve.data.random import GlobalGenerators, generator, global_generators_kept, seed_global_generators
from geo_lm4ve.files import UserError
from geo_lm4ve.reading import cause

ORDER, ITEM, VIEW, PLAIN = range(4)  # what random numbers are for; the last key of their generators

Collate = Callable[[Sequence[Any], Int64[Tensor, " b"]], Made]
"""Items and their rows in the split -> a batch of them, whose ``index`` is the rows; ValueError names a faulty row."""

Augment = Callable[[Any, torch.Generator], Any]
"""An item and a generator for it -> the item as training sees it."""


def count(dataset: Any, where: str) -> int:
    """Number of samples of a map-style data set.

    Args:
        dataset: to be looked at.
        where: what messages call it.

    Raises:
        DataError: it is iterable-style, no data set at all, or empty.
    """
    kind = type(dataset).__name__
    indexed = hasattr(dataset, "__getitem__") and not isinstance(dataset, IterableDataset)
    if hasattr(dataset, "__iter__") and not indexed:
        raise DataError(
            f"{where} is iterable-style ({kind}): without row numbers its samples cannot be shuffled by a seed, gone "
            "on with in the middle of an epoch, or counted once over several processes. Give a data set with __len__ "
            "and __getitem__: list(...) of a small one, or files that are read by their number"
        )
    if not indexed or not hasattr(dataset, "__len__") or isinstance(dataset, type | Mapping):
        what = "a class, not an object of it" if isinstance(dataset, type) else f"a {kind}"
        raise DataError(
            f"{where} is {what}: it must have __len__ and a __getitem__ that takes row numbers, as a map-style "
            "torch.utils.data.Dataset or a list has"
        )
    if not (length := _length(dataset, where)):
        raise DataError(f"{where} is empty; leave the split out, or look whether its files are where they should be")
    return length


def _length(dataset: Any, where: str) -> int:
    try:
        return len(dataset)
    except Exception as error:
        raise DataError(f"{where}: __len__ fails ({cause(error)}); mend it") from error


@dataclass(frozen=True)
class ItemSplit(Generic[Made]):
    """The samples of one split as Samples (``data/loaders.py``).

    Attributes:
        dataset: map-style; ``__getitem__`` is called by several threads at a time where ``shared``.
        where: what messages call the split.
        rows: (n,) row of each sample in ``dataset``.
        length: samples of ``dataset`` when it was opened.
        collate: makes a batch of items.
        classes: names by label; where there are any, the batch's ``labels`` are held against them.
        augment: what training changes in an item; None: nothing.
        shared: threads read it, so the global generators are left alone.
        view: (seed, v) of the augmented view that a batch for evaluation shows; None: the plain one.
    """

    dataset: Any
    where: str
    rows: Int64[Tensor, " n"]
    length: int
    collate: Collate[Made]
    classes: Sequence[str] = ()
    augment: Augment | None = None
    shared: bool = False
    view: tuple[int, int] | None = None

    noun: ClassVar[str] = "samples"

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.rows)

    def order(self, seed: int, epoch: int) -> Int64[Tensor, " n"]:
        """All samples of an epoch in random order; DataError if the data set has another length by now."""
        self.check_length()
        return torch.randperm(len(self), generator=generator(seed, epoch, ORDER))

    def train_batch(self, rows: Int64[Tensor, " b"], draw: Draw) -> Made:
        """Samples, each augmented by random numbers of its own."""
        return self._made(rows, (draw.seed, draw.epoch), ITEM, self.augment)

    def batch(self, rows: Int64[Tensor, " b"]) -> Made:
        """Samples as they are, or in the augmented view."""
        if self.view is None:
            return self._made(rows, (), PLAIN, None)
        return self._made(rows, self.view, VIEW, self.augment)

    def augmented(self, seed: int, view: int) -> ItemSplit[Made]:
        """Every sample augmented by random numbers of this view."""
        if self.augment is None:
            raise DataError(
                f"{self.where} has no augmented views to vote over: give MappedData an augment, or set task.votes=0"
            )
        return replace(self, view=(seed, view))

    def check_length(self) -> None:
        """DataError if the data set has not the length that it was opened with: orders and counts would be wrong."""
        if (now := _length(self.dataset, self.where)) != self.length:
            raise DataError(
                f"{self.where} is taken from a data set of {self.length} samples, which has {now} now: its length must "
                "stay while a run reads it; start again with the data as it is, or put back what is missing"
            )

    def check_threads(self) -> None:
        """DataError if the first sample draws from a generator that all threads share; call it from the main one."""
        with global_generators_kept():
            before = GlobalGenerators.now()
            self._made(torch.zeros(1, dtype=torch.long), (0, 0), ITEM, self.augment)
            drawn = before.drawn()
        if drawn:
            raise DataError(
                f"{self.where}, row 0 draws from the global generator of {' and '.join(drawn)}, which all threads "
                "share: what comes out would hang on their timing. Set data.workers=0, where it is seeded for every "
                "sample, or move what is random into an augment(item, generator) of MappedData"
            )

    def _made(self, rows: Tensor, keys: tuple[int, ...], use: int, augment: Augment | None) -> Made:
        named = ", ".join(map(str, rows[:NAMED].tolist())) + (", ..." if len(rows) > NAMED else "")
        with nullcontext() if self.shared else global_generators_kept():
            items = [self._item(row, keys, use, augment) for row in rows.tolist()]
            made = self._called("collate", f"rows {named} cannot be made a batch of", self.collate, items, rows)
        self._check(made, rows)
        return made

    def _item(self, row: int, keys: tuple[int, ...], use: int, augment: Augment | None) -> Any:
        own = int(self.rows[row])
        place = f"row {row}" + (f" (row {own} of what it is carved out of)" if len(self) < self.length else "")
        if not self.shared:
            seed_global_generators(*keys, row, use)
        item = self._called("__getitem__", f"{place} cannot be read", operator.getitem, self.dataset, own)
        if augment is None:
            return item
        return self._called("augment", f"{place} cannot be augmented", augment, item, generator(*keys, row, use))

    def _called(self, name: str, failed: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What other people's code returns; its errors come out as one message that names split and row."""
        try:
            return function(*arguments)
        except UserError as error:
            error.add_note(f"(met in {self.where}: {failed})")
            raise
        except Exception as error:
            if name == "collate" and type(error) is ValueError:  # names a row itself
                raise DataError(f"{self.where}: {error}") from error
            raise DataError(
                f"{self.where}, {failed} ({cause(error)}): mend {name} or leave the sample out; GEO_LM4VE_TRACEBACK=1 "
                "shows where it happened"
            ) from error

    def _check(self, made: Any, rows: Tensor) -> None:
        """What the engine relies on; DataError."""
        if not hasattr(made, "to") or not hasattr(made, "__len__") or not isinstance(getattr(made, "index", 0), Tensor):
            raise DataError(
                f"{self.where}: collate gave a {type(made).__name__}, not a Batch (parts/data.py): a dataclass of "
                "tensors, among them index (B,), with __len__ and to(device)"
            )
        if len(made) != len(rows) or made.index.tolist() != rows.tolist():
            raise DataError(
                f"{self.where}: of {len(rows)} items collate made a batch of {len(made)} with the index "
                f"{made.index.tolist()[:NAMED]}; its index must be the rows that it was given, {rows.tolist()[:NAMED]}"
            )
        if self.classes:
            self._check_labels(getattr(made, "labels", None), rows)

    def _check_labels(self, labels: Any, rows: Tensor) -> None:
        if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or labels.shape != rows.shape:
            found = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, Tensor) else type(labels).__name__
            raise DataError(
                f"{self.where}: with classes, a batch has labels (B,) of int64, here ({len(rows)},); it has {found}"
            )
        outside = ((labels < 0) | (labels >= len(self.classes))).nonzero()[:, 0].tolist()
        if outside:
            raise DataError(
                f"{self.where}, row {int(rows[outside[0]])} has label {int(labels[outside[0]])}, but classes names "
                f"{len(self.classes)}: labels count from 0; correct it or add the name"
            )
