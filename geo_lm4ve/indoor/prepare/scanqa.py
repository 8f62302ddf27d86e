"""ScanQA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_lm4ve.indoor.prepare.base import RoomPreparer
from geo_lm4ve.prepare.base import preparer

if TYPE_CHECKING:
    from geo_lm4ve.indoor.stored.questions import Layout


@preparer
class ScanQA(RoomPreparer):
    """See RoomPreparer."""

    name = "scanqa"
    summary = "ScanQA from its question files and ScanNet's scans, which you have: --from QUESTIONS --scans SCANS"
    title = "ScanQA"

    @property
    def layout(self) -> Layout:
        """See RoomPreparer.layout."""
        from geo_lm4ve.indoor.stored import questions

        return questions.SCANQA
