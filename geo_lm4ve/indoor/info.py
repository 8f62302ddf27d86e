"""What is known of questions about rooms before any batch is made."""

from __future__ import annotations

from dataclasses import dataclass

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
