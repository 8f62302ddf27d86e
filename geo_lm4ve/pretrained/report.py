"""What a load did: nothing is dropped in silence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


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
    """

    layout: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    ignored: Mapping[str, str]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    sliced: Mapping[str, tuple[int, int]]
    block: str = ""

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
