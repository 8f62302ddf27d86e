"""What is known of questions about rooms before any batch is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geo_lm4ve.data.manifest import DataManifest
from geo_lm4ve.indoor.stored.questions import SCANQA, SQA3D, Layout
from geo_lm4ve.parts.data import DataInfo


@dataclass(frozen=True)
class RoomInfo(DataInfo):
    """DataInfo of questions about rooms; ``classes`` is the vocabulary of answers.

    Attributes:
        layout: data set whose layout the questions have: ``scanqa`` or ``sqa3d``.
        targets: the questions of train say which object they are about: without, there is no Acc@IoU and no loss of it.
        poses: the questions of train say where the asker stands: without, there is no loss and no score of it.
    """

    layout: str = ""
    targets: bool = False
    poses: bool = False

    @property
    def remarks(self) -> list[str]:
        """What the annotations lack of what their layout has, and what is off for it."""
        if self.layout == SCANQA.name and not self.targets:
            return [f"{SCANQA.title}: no localisation targets: Acc@IoU and the reference loss are off"]
        if self.layout == SQA3D.name and not self.poses:
            return [f"{SQA3D.title}: poses are placeholders (the origin, no turn): the pose loss and its score are off"]
        return []


def title_of(layout: Layout, stored: DataManifest, counts: Mapping[str, int], described: str) -> str:
    """What reports call questions about rooms: whose they are, how many are used of how many, what rooms show.

    Args:
        layout: of the questions.
        stored: what is said of the prepared folder.
        counts: questions of each split that are used.
        described: points and what they carry.
    """
    parts = []
    for split, count in counts.items():
        whole = stored.counts.get(split, count)
        parts.append(f"{count:,} {split}" if count == whole else f"{count:,} of {whole:,} {split}")
    of = f"{stored.source}, " * bool(stored.source) + "synthetic, " * stored.synthetic
    return f"{layout.title} ({of}{', '.join(parts)}; {described})"
