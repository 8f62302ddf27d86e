"""Fitting the tensors of a checkpoint into a model, with an account of every one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from geo_lm4ve.model import Model
from geo_lm4ve.pretrained.architecture import advice, describe
from geo_lm4ve.pretrained.block_comparison import other_block
from geo_lm4ve.pretrained.layouts import Layout, starts, table_of
from geo_lm4ve.pretrained.report import SAME_BLOCK, LoadReport, grouped
from geo_lm4ve.saved import CheckpointError, check_kinds

CLASSES = ("match", "slice", "fresh")
"""What to do with an output layer for another number of classes: refuse, keep the first rows, initialise freshly."""

_LINES = 6
"""Tensors of the wrong shape that an error lists."""


@dataclass
class Fit:
    """The tensors of a file on their way into a model: first every one is placed, then the whole is checked.

    Attributes:
        layout: the kind of file.
        model: where they go; nothing is written to it here.
        classes: what to do with an output layer of another height.
        source: where the file lies, for messages.
        values: our name -> tensor that fits.
        seen: our name -> tensor, fitting or not.
        mismatched: a line for every tensor of the wrong shape.
        unexpected, ignored, reshaped, sliced, block: as in the report.
    """

    layout: Layout
    model: Model
    classes: str
    source: Path | str
    values: dict[str, Tensor] = field(default_factory=dict)
    seen: dict[str, Tensor] = field(default_factory=dict)
    mismatched: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    reshaped: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    sliced: dict[str, tuple[int, int]] = field(default_factory=dict)
    block: str = ""

    def __post_init__(self) -> None:
        self.target = self.model.state_dict()
        linear = [name for name, module in self.model.head.named_modules() if isinstance(module, nn.Linear)]
        self.outputs = f"head.{linear[-1]}" if linear else "head"

    @property
    def title(self) -> str:
        """The file, and of what kind it is."""
        return f"{self.source} ({self.layout.title})"

    def place(self, official: str, value: Tensor) -> None:
        """Decide what becomes of one tensor of the file."""
        if reason := next((why for part, why in self.layout.ignored.items() if starts(official, part)), None):
            self.ignored[official] = reason
            return
        renamed = self._renamed(official, value)
        if renamed is None or renamed[0] not in self.target:
            self.unexpected.append(official.removeprefix(self.layout.prefix))
        if renamed is None:
            return
        name, fitted = renamed
        self.seen[name] = fitted
        if name not in self.target:
            return
        if fitted.shape != value.shape:
            self.reshaped[name] = (tuple(value.shape), tuple(fitted.shape))
        self._keep(name, official, fitted)

    def _renamed(self, official: str, value: Tensor) -> tuple[str, Tensor] | None:
        if self.layout.table is None:
            return official, value
        if not official.startswith(self.layout.prefix):
            return None
        return self.layout.table.to_ours(official.removeprefix(self.layout.prefix), value)

    def _keep(self, name: str, official: str, value: Tensor) -> None:
        target = self.target[name].shape
        other_classes = starts(name, self.outputs) and value.shape != target and value.shape[1:] == target[1:]
        if other_classes and self.classes == "fresh":
            return
        if other_classes and self.classes == "slice" and len(value) > target[0]:
            self.sliced[name] = (len(value), target[0])
            value = value[: target[0]]
        if value.shape != target:
            self.mismatched.append(f"{name} ({official}): file {tuple(value.shape)}, model {tuple(target)}")
            return
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise ValueError(f"{official} holds NaN or infinite values")
        self.values[name] = value

    @property
    def missing(self) -> list[str]:
        """Our names that the file gives no value for."""
        return [key for key in self.target if key not in self.values]

    def check(self, allow: Sequence[str]) -> None:
        """CheckpointError unless everything fits that is not normal for this kind of file nor allowed by the caller."""
        if self.mismatched:
            raise CheckpointError(self._misfit())
        check_kinds(self.values, self.target)
        fresh = (*self.layout.fresh, *((self.outputs,) if self.classes == "fresh" else ()), *allow)
        missing = [key for key in self.missing if not starts(key, *fresh)]
        unexpected = [key for key in self.unexpected if not starts(key, *self.layout.extra, *allow)]
        if missing or unexpected:
            raise CheckpointError(self._unaccounted(missing, unexpected))

    def compare_block(self, state: Mapping[str, Tensor], allow: Sequence[str]) -> None:
        """CheckpointError if the file's adapters were trained round another frozen block than the model's."""
        prefix = self.layout.block
        if not prefix:
            return
        inside = {key.removeprefix(f"{prefix}."): value for key, value in state.items() if starts(key, prefix)}
        difference = other_block(inside, self.model.bridge.block)
        self.block = difference or SAME_BLOCK
        if difference and prefix not in allow:
            raise CheckpointError(
                f"{self.title}: its frozen block is not the model's: {difference}. Build the model with the "
                f"block that the file was trained with, or pass allow=({prefix!r},) to use its adapters all the same"
            )

    def _unaccounted(self, missing: list[str], unexpected: list[str]) -> str:
        lack = [f"the file lacks {grouped(missing)}"] if missing else []
        more = [f"the model has no place for {grouped(unexpected)}"] if unexpected else []
        return (
            f"{self.title}: {' and '.join(lack + more)}. {self._advice()}To load the rest all the same, name "
            "these prefixes in allow=(...)"
        )

    def _misfit(self) -> str:
        lines = "\n  ".join(self.mismatched[:_LINES])
        rest = f"\n  and {len(self.mismatched) - _LINES} more" if len(self.mismatched) > _LINES else ""
        return f"{self.title}: the shapes do not fit the model.\n  {lines}{rest}\n{self._advice()}".rstrip()

    def _advice(self) -> str:
        """What to change, as far as the tensors tell; ends in a blank unless empty."""
        table = table_of(self.model.encoder)
        return advice(describe(self.seen, table), describe(self.target, table))

    def report(self) -> LoadReport:
        """What was done."""
        return LoadReport(
            layout=self.layout.title,
            loaded=tuple(self.values),
            missing=tuple(self.missing),
            unexpected=tuple(self.unexpected),
            ignored=self.ignored,
            reshaped=self.reshaped,
            sliced=self.sliced,
            block=self.block,
            published=self.layout.published,
        )
