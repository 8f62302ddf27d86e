"""Layouts of official checkpoints: reversible tables of names, and what each kind of file is known to lack or add."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from geo_lm4ve.parts.encoder import Encoder
from geo_lm4ve.pretrained.published import Published
from geo_lm4ve.shipped import load_all


@dataclass(frozen=True)
class Row:
    """One line of a table: a module or tensor in our names and in the official ones; ``*`` stands for a number.

    Attributes:
        ours: prefix in our names.
        official: prefix in the official names.
        conv: axes of the official weight's convolution, of kernel size 1: (out, in, 1) for one, (out, in, 1, 1) for
            two; ours is a linear layer's (out, in).
    """

    ours: str
    official: str
    conv: int = 0


@dataclass(frozen=True)
class NameTable:
    """The names of one architecture.

    Attributes:
        encoder: the encoder it belongs to.
        rows: no two of them start alike, on either side.
        describe: given a state dict in our names, what its tensors tell of the config of encoder and head: config key
            (``encoder.depth``, ``head.hidden``) -> value, None or empty where no tensor tells. Further keys are
            ``num_classes``, as ``create_model`` calls the outputs, and ``outputs`` (see ``architecture.OUTPUTS``).
        left_out: prefixes of our names of what official files do not hold because it never was the model's: the
            fingerprint of vectors of words.
    """

    encoder: type[Encoder]
    rows: tuple[Row, ...]
    describe: Callable[[Mapping[str, Tensor]], Mapping[str, Any]]
    left_out: tuple[str, ...] = ()

    def to_ours(self, key: str, value: Tensor) -> tuple[str, Tensor] | None:
        """An official tensor as ours, or None if the table does not know its name."""
        for row in self.rows:
            if name := _renamed(key, row.official, row.ours):
                kernel = (1,) * row.conv
                points = value.ndim == 2 + row.conv and value.shape[2:] == kernel
                return name, value.flatten(1) if row.conv and points else value
        return None

    def to_official(self, key: str, value: Tensor) -> tuple[str, Tensor] | None:
        """One of our tensors as official, or None if the table does not know its name."""
        for row in self.rows:
            if name := _renamed(key, row.ours, row.official):
                return name, value[(..., *(None,) * row.conv)] if value.ndim == 2 else value
        return None


def matched(key: str, prefix: str) -> re.Match[str] | None:
    """A name that is ``prefix`` or lies below it; the groups are the numbers in place of ``*``, then the rest."""
    return re.fullmatch(re.escape(prefix).replace(r"\*", r"(\d+)") + r"(\..+)?", key)


def _renamed(key: str, before: str, after: str) -> str | None:
    """``key`` with prefix ``before`` replaced by ``after`` and numbers carried over; None if it starts differently."""
    if (match := matched(key, before)) is None:
        return None
    *numbers, rest = match.groups()
    for number in numbers:
        after = after.replace("*", number, 1)
    return after + (rest or "")


@dataclass(frozen=True)
class Layout:
    """One kind of checkpoint file.

    Attributes:
        title: what it is, for reports.
        marker: a file that has a key with this prefix is of this kind.
        table: the names; None for our own.
        prefix: what stands before the names of the wanted tensors.
        ignored: prefix -> reason, of tensors that have no counterpart in a classifier.
        fresh: prefixes of our names that such a file is known to lack: they keep their initialisation.
        extra: prefixes of official names that such a file is known to hold besides the table's.
        block: prefix of the frozen language-model layers that such a file holds in Meta's names; it is among the
            ignored ones, but compared with the model's block.
        published: results that were published of such files.
        rewrite: makes the tensors that the table knows of a file's, where these are no renaming of them (queries, keys
            and values apart); they keep names that tell the file's.
    """

    title: str
    marker: str
    table: NameTable | None = None
    prefix: str = ""
    ignored: Mapping[str, str] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    block: str = ""
    published: tuple[Published, ...] = ()
    rewrite: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None

    def matches(self, keys: Iterable[str]) -> bool:
        """Whether a file with these keys is of this kind."""
        return any(starts(key, self.marker) for key in keys)

    def suits(self, encoder: Encoder, keys: Iterable[str]) -> bool:
        """Whether a file of this kind is for a model with this encoder and these of our names.

        One in our own names that leaves tensors out is for models which do not have them.
        """
        return isinstance(encoder, self.table.encoder) if self.table else not (self.ignored and self.matches(keys))


_CHECKPOINTS: dict[str, tuple[NameTable, tuple[Layout, ...]]] = {}


def register_checkpoints(table: NameTable, layouts: Iterable[Layout]) -> None:
    """Make the official names of an encoder and the layouts of its files known to ``load_official``.

    Args:
        table: the names; each encoder has one.
        layouts: in the order in which a file is compared with them.
    """
    _CHECKPOINTS[f"{table.encoder.__module__}.{table.encoder.__qualname__}"] = (table, tuple(layouts))


def known_tables() -> list[NameTable]:
    """The tables of all encoders, in an order that does not depend on what was imported first."""
    load_all("checkpoints")
    return [table for _, (table, _) in sorted(_CHECKPOINTS.items())]


def table_of(encoder: Encoder) -> NameTable | None:
    """The table of an encoder, if it has one."""
    return next((table for table in known_tables() if isinstance(encoder, table.encoder)), None)


def known_layouts() -> list[Layout]:
    """The layouts of all encoders' files, in the order of ``known_tables``."""
    load_all("checkpoints")
    return [layout for _, (_, layouts) in sorted(_CHECKPOINTS.items()) for layout in layouts]


def starts(key: str, *prefixes: str) -> bool:
    """Whether ``key`` is one of the prefixes or lies below one (``head`` covers ``head.norm`` but not ``header``)."""
    return any(key == prefix or key.startswith(prefix.rstrip(".") + ".") for prefix in prefixes)
