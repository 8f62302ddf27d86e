"""Files into train and test: files of one group or one shape stay together, and every class is divided as evenly as
that allows.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.points.prepare.listing import Item
from geo_lm4ve.words import line


@dataclass(frozen=True)
class Division:
    """How a folder is divided that has no split of its own.

    Attributes:
        fraction: of the files of every class that go to test, in (0, 1).
        seed: which ones.
        group_by: regular expression that is searched for in every name; files whose first group is the same go to
            the same side. "": every file is on its own. Either way files of one shape are of one group.
    """

    fraction: float = 0.2
    seed: int = 0
    group_by: str = ""

    def __post_init__(self) -> None:
        """Check ranges; raises DataError."""
        if not 0 < self.fraction < 1:
            raise DataError(f"--test-fraction {self.fraction} must lie between 0 and 1, as 0.2 does")
        try:
            groups = re.compile(self.group_by).groups
        except re.error as error:
            raise DataError(f"--group-by {self.group_by!r} is no regular expression ({error}); mend it") from error
        if self.group_by and not groups:
            raise DataError(
                f"--group-by {self.group_by!r} has no group: put what files have in common into round brackets, as "
                r"([^/]+)_\d+ does for the part of a name before its number"
            )

    def divide(self, items: Sequence[Item], shapes: Mapping[str, str] | None = None) -> list[Item]:
        """The files with their splits, in their order; ``shapes`` has a digest by name, "" where none is known.

        Groups are gone through in an order drawn from the seed; one goes to test where that brings the classes nearer
        to their fraction. A class of several groups has some in train, and in test wherever other classes permit it.

        Raises:
            DataError: a name does not match ``group_by``.
        """
        groups = _joined(self.groups(items), shapes or {})
        test: Counter[str] = Counter()
        wanted = {kind: self.fraction * count for kind, count in Counter(item.kind for item in items).items()}
        left = Counter(item.kind for item in items)
        chosen = set()
        order = sorted(groups, key=self._drawn)
        for forced in (False, True):
            for group in sorted(order, key=lambda one: len(groups[one])) if forced else order:
                counts = Counter(item.kind for item in groups[group])
                gain = sum(abs(test[k] - wanted[k]) - abs(test[k] + n - wanted[k]) for k, n in counts.items())
                useful = any(not test[kind] for kind in counts) if forced else gain > 0
                if group not in chosen and useful and all(left[kind] > n for kind, n in counts.items()):
                    chosen.add(group)
                    test += counts
                    left -= counts
        tested = {item.name for group in chosen for item in groups[group]}
        return [replace(item, split="test" if item.name in tested else "train") for item in items]

    def groups(self, items: Sequence[Item]) -> dict[str, list[Item]]:
        """Files by group; DataError as of ``divide``."""
        found: dict[str, list[Item]] = {}
        lost = []
        for item in items:
            match = re.search(self.group_by, item.name) if self.group_by else None
            if self.group_by and (match is None or match[1] is None):
                lost.append(item.name)
                continue
            found.setdefault(match[1] if match else item.name, []).append(item)
        if lost:
            raise DataError(
                f"--group-by {self.group_by!r} does not match {len(lost):,} of {len(items):,} files, e.g. "
                f"{line(lost[0])}: every file needs a group; names are those below the folder, with slashes"
            )
        return found

    def _drawn(self, group: str) -> bytes:
        return hashlib.sha256(f"{self.seed}:".encode() + os.fsencode(group)).digest()


def _joined(groups: Mapping[str, list[Item]], shapes: Mapping[str, str]) -> dict[str, list[Item]]:
    """Groups that share a shape as one, under the name of the first of them."""
    home = {name: name for name in groups}  # a group -> an earlier one that it is joined to
    rank = {name: place for place, name in enumerate(groups)}

    def last(name: str) -> str:
        while home[name] != name:
            name = home[name]
        return name

    first: dict[str, str] = {}
    for name, items in groups.items():
        for digest in filter(None, (shapes.get(item.name) for item in items)):
            early, late = sorted((last(name), last(first.setdefault(digest, name))), key=rank.__getitem__)
            home[late] = early
    joined: dict[str, list[Item]] = {}
    for name, items in groups.items():
        joined.setdefault(last(name), []).extend(items)
    return joined
