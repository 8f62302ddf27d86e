"""What a load did: nothing is dropped in silence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo_lm4ve.pretrained.published import Published

SAME_BLOCK = "the same as the model's"
"""What a report says of the frozen block in a file that is the model's."""


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor of a checkpoint and of the model.

    Attributes:
        layout: what kind of file it was.
        loaded: our names of the tensors that were loaded.
        missing: our names of the tensors that the file lacks: they keep their initialisation.
        unexpected: the file's names of tensors that the model has no place for.
        ignored: the file's names of tensors that belong to no classifier -> the reason.
        reshaped: our name -> (shape in the file, shape in the model), where a size-1 axis went.
        sliced: our name -> (rows in the file, rows in the model), where ``classes="slice"`` cut rows off.
        block: how the file's frozen block compares with the model's; empty if the file has none.
        published: results that were published of such files.
    """

    layout: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    ignored: Mapping[str, str]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    sliced: Mapping[str, tuple[int, int]]
    block: str = ""
    published: tuple[Published, ...] = ()

    @property
    def foreign(self) -> str:
        """How the model is another than the file's, beside a frozen block that both have; "" if it is not."""
        fresh = [key for key in self.missing if not key.startswith("bridge.block.")]
        found = [f"freshly initialised {grouped(fresh)}"] if fresh else []
        found += [f"without {grouped(self.unexpected)}"] if self.unexpected else []
        return ", ".join(found + ([] if self.block in ("", SAME_BLOCK) else ["another frozen block"]))

    def __str__(self) -> str:
        """A few lines, by prefix."""
        lines = [f"{self.layout}: {len(self.loaded)} tensors loaded"]
        if self.reshaped:
            lines.append(f"  reshaped: {grouped(self.reshaped)}")
        lines += [f"  sliced: {key}, {rows} rows to {kept}" for key, (rows, kept) in self.sliced.items()]
        if self.missing:
            lines.append(f"  not in the file, freshly initialised: {grouped(self.missing)}")
        if self.unexpected:
            lines.append(f"  in the file, not used: {grouped(self.unexpected)}")
        reasons = defaultdict(list)
        for key, reason in self.ignored.items():
            reasons[reason].append(key)
        lines += [f"  in the file, not needed: {len(keys)} tensors ({reason})" for reason, keys in reasons.items()]
        return "\n".join(lines + ([f"  frozen block: {self.block}"] if self.block else []))


def grouped(keys: Iterable[str], limit: int = 8) -> str:
    """Names by their common prefix, numbers as ``*``: ``head.mlp.* (4), mask_token``."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        groups[re.sub(r"(\.\*)+$", "", re.sub(r"\.\d+(?=\.|$)", ".*", key.rpartition(".")[0]))].append(key)
    names = []
    for prefix, members in groups.items():
        names += [f"{prefix}.* ({len(members)})"] if prefix and len(members) > 1 else members
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more groups" if rest > 0 else "")
