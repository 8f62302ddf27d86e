"""What a preparation found: scans that are missing and what that costs, labels that nothing maps, odd scans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from geo_lm4ve.indoor.scannet.making import Made
from geo_lm4ve.indoor.stored.questions import Asked
from geo_lm4ve.indoor.stored.tables import MeanSizes

SHOWN = 10
"""Entries of a list that are printed; the file has all."""


@dataclass(frozen=True)
class Report:
    """What is known when all scans have been read.

    Attributes:
        asked: the questions.
        made: what became of each scan.
        means: mean sizes of the boxes of train.
        ids: scan -> ids of its objects.
        labels: where the meaning of labels comes from.
    """

    asked: Asked
    made: Mapping[str, Made]
    means: MeanSizes
    ids: Mapping[str, frozenset[int]]
    labels: str

    @cached_property
    def scans(self) -> dict[str, Counter[str]]:
        """Scan -> questions of each split."""
        return self.asked.scans()

    @property
    def questions(self) -> int:
        """How many there are in all."""
        return sum(cost.total() for cost in self.scans.values())

    @cached_property
    def missing(self) -> dict[str, tuple[int, str]]:
        """Scan that gave no room -> questions that it costs, and why; the dearest first."""
        costs = {name: (self.scans[name].total(), one.reason) for name, one in self.made.items() if one.facts is None}
        return dict(sorted(costs.items(), key=lambda item: (-item[1][0], item[0])))

    @property
    def lost(self) -> int:
        """Questions about scans that gave no room."""
        return sum(cost for cost, _ in self.missing.values())

    def counts(self) -> dict[str, int]:
        """Questions of each split about scans that are there."""
        return {
            split: sum(one.scene not in self.missing for one in asked.questions)
            for split, asked in self.asked.splits.items()
        }

    def unmapped(self) -> Counter[str]:
        """Label that nothing maps -> objects with it."""
        found = Counter[str]()
        for one in self.made.values():
            found.update(one.facts.unmapped if one.facts else {})
        return found

    def _those(self, wanted: str) -> list[str]:
        return [name for name, one in self.made.items() if one.facts and not getattr(one.facts, wanted)]

    def pointless(self) -> list[str]:
        """Ids of questions about an object that has no box in its scan."""
        return [
            one.id
            for asked in self.asked.splits.values()
            for one in asked.questions
            if one.object_ids and one.scene in self.ids and one.object_ids[0] not in self.ids[one.scene]
        ]

    def content(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "questions": {split: len(asked.questions) for split, asked in self.asked.splits.items()},
            "usable": self.counts(), "scans": len(self.made),
            "missing": [{"scan": name, "questions": n, "why": why} for name, (n, why) in self.missing.items()],
            "labels": self.labels, "unmapped": dict(self.unmapped().most_common()),
            "unaligned": self._those("aligned"), "unannotated": self._those("annotated"),
            "questions_about_no_box": self.pointless(), "boxes": dict(self.means.boxes),
            "classes_without_box": self.means.without, "bytes": sum(one.bytes for one in self.made.values()),
        }  # fmt: skip

    def remarks(self) -> list[str]:
        """The report in lines."""
        made = [one for one in self.made.values() if one.facts]
        size = sum(one.bytes for one in made)
        found = [f"{len(made):,} rooms, {size / 1e6:,.0f} MB, {size / 1e3 / max(len(made), 1):,.0f} kB each"]
        if self.missing:
            found.append(
                f"missing: {len(self.missing):,} scans, {self.lost:,} of {self.questions:,} questions are about them"
            )
            found += [
                f"  {name}: {cost:,} questions; {why}" for name, (cost, why) in list(self.missing.items())[:SHOWN]
            ]
        unmapped = self.unmapped()
        if unmapped:
            words = some([f"{word!r} {count:,}" for word, count in unmapped.most_common(SHOWN)], len(unmapped))
            found.append(
                f"{unmapped.total():,} objects have {len(unmapped):,} labels that {self.labels} does not map, they "
                f"count as 'others': {words}"
            )
        lists = {
            "scans without axisAlignment, taken as they lie": self._those("aligned"),
            "scans without annotations, without objects": self._those("annotated"),
            "questions about an object that has no box": self.pointless(),
            "classes without a box in train, with the mean size of all": self.means.without,
        }
        return found + [f"{what}: {len(names):,} ({some(names, len(names))})" for what, names in lists.items() if names]


def some(names: Sequence[str], count: int) -> str:
    """The first of ``count`` names."""
    more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
