"""SQA3D."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo_lm4ve.indoor.prepare.base import RoomPreparer
from geo_lm4ve.prepare.base import preparer

if TYPE_CHECKING:
    from geo_lm4ve.indoor.stored.questions import Layout


@preparer
class SQA3D(RoomPreparer):
    """See RoomPreparer."""

    name = "sqa3d"
    summary = "SQA3D from its question files and ScanNet's scans, which you have: --from QUESTIONS --scans SCANS"
    title = "SQA3D"

    @property
    def layout(self) -> Layout:
        """See RoomPreparer.layout."""
        from geo_lm4ve.indoor.stored import questions

        return questions.SQA3D
