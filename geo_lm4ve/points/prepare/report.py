"""What became of the files of a folder: counts by class, and everything that was left out or is worth a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from geo_lm4ve.points.prepare.division import Division
from geo_lm4ve.points.prepare.listing import SPLITS, Listing, some
from geo_lm4ve.points.prepare.sampled import Unreadable
from geo_lm4ve.points.prepare.shards import Record, Row, Shard

REPORT = "report.json"
SHOWN = 10
"""Entries of a list that are printed; the file has all."""


@dataclass(frozen=True)
class Report:
    """What is known when all files have been read.

    Attributes:
        listing: the files.
        done: every piece with its record.
        points: per cloud.
        group_by: regular expression of groups, else "".
    """

    listing: Listing
    done: Sequence[tuple[Shard, Record]]
    points: int
    group_by: str

    @property
    def files(self) -> int:
        """How many there are, those in no class among them."""
        return len(self.listing.items) + len(self.listing.homeless)

    @cached_property
    def rows(self) -> list[tuple[str, Row]]:
        """(split, row) of every cloud."""
        return [(piece.items[0].split, row) for piece, record in self.done for row in record.rows]

    def counts(self) -> dict[str, int]:
        """Clouds of each split."""
        found = Counter(split for split, _ in self.rows)
        return {split: found[split] for split in SPLITS}

    def classes(self) -> dict[str, dict[str, int]]:
        """Clouds of each class and split."""
        found = Counter((row.kind, split) for split, row in self.rows)
        return {kind: {split: found[kind, split] for split in SPLITS} for kind in self.listing.classes}

    def unreadable(self) -> list[Unreadable]:
        """Files that gave no cloud."""
        homeless = [Unreadable(name, "it lies in the folder of no class") for name in self.listing.homeless]
        return [*homeless, *(one for _, record in self.done for one in record.unreadable)]

    def duplicates(self) -> list[list[tuple[str, Row]]]:
        """Clouds of one shape, where there are several."""
        found: dict[str, list[tuple[str, Row]]] = {}
        for split, row in self.rows:
            found.setdefault(row.digest, []).append((split, row))
        return [same for same in found.values() if len(same) > 1]

    def never_tested(self) -> list[str]:
        """Classes without a cloud in test."""
        return [kind for kind, counts in self.classes().items() if not counts["test"]]

    def groups(self) -> dict[str, Any] | None:
        """How many groups there are, and on which side."""
        if not self.group_by:
            return None
        found = Division(group_by=self.group_by).groups(self.listing.items)
        tested = sum(items[0].split == "test" for items in found.values())
        return {"regex": self.group_by, "train": len(found) - tested, "test": tested}

    def content(self) -> dict[str, Any]:
        """The report as JSON has it."""
        listing = self.listing
        return {
            "folder": str(listing.folder), "points": self.points, "files": self.files, "clouds": self.counts(),
            "split": "of the folder" if listing.divided else "drawn", "classes": self.classes(),
            "formats": dict(sorted(Counter(item.path.suffix.lower() for item in listing.items).items())),
            "unreadable": [asdict(one) for one in self.unreadable()], "never_tested": self.never_tested(),
            "groups": self.groups(), "without_normals": [row.file for _, row in self.rows if not row.normals],
            "without_colors": [row.file for _, row in self.rows if not row.colors],
            "duplicates": [[{"file": row.file, "split": split} for split, row in same] for same in self.duplicates()],
            "skipped": listing.skipped, "links": listing.links, "empty": listing.empty,
        }  # fmt: skip

    def remarks(self) -> list[str]:
        """The report in lines, without the table of classes."""
        listing, without = self.listing, sum(not row.normals for _, row in self.rows)
        found = [f"{len(self.rows):,} clouds of {self.files:,} files in {len(listing.classes)} classes"]
        if failed := self.unreadable():
            found.append(f"unreadable: {len(failed):,} of {self.files:,} files; all of them: {REPORT}")
            found += [f"  {one}" for one in failed[:SHOWN]]
        if groups := self.groups():
            found.append(f"groups: {groups['train'] + groups['test']:,}, of which {groups['test']:,} are in test")
        found += [self._doubled()] if self.duplicates() else []
        if without:
            found.append(f"without normals: {without:,} clouds; their HDF5 files have no 'normal'")
        if 0 < (plain := sum(not row.colors for _, row in self.rows)) < len(self.rows):
            found.append(f"without colors: {plain:,} clouds; their HDF5 files have no 'color'")
        lists = {
            "classes of which nothing is in test": self.never_tested(),
            "folders of classes without a file, left out": listing.empty,
            "links to folders, not followed": listing.links,
            "files of other kinds, skipped": [f"{kind or 'no suffix'}: {n:,}" for kind, n in listing.skipped.items()],
        }
        return found + [f"{what}: {len(names):,} ({some(names, SHOWN)})" for what, names in lists.items() if names]

    def _doubled(self) -> str:
        same = self.duplicates()
        across = sum(len({split for split, _ in one}) > 1 for one in same)
        kinds = sum(len({row.kind for _, row in one}) > 1 for one in same)
        split = f"{across:,} of them lie in train and in test"
        if not across and not self.listing.divided:
            split = "the copies of each were put on the same side of the split"
        return (
            f"duplicates: {len(same):,} shapes are in {sum(map(len, same)):,} files ({REPORT}); {split}, {kinds:,} in "
            "several classes"
        )
