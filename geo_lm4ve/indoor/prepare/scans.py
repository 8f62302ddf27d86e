"""ScanQA and SQA3D, of question files and scans that the user has."""

from __future__ import annotations

from geo_lm4ve.indoor.prepare.base import RoomPreparer
from geo_lm4ve.prepare.base import preparer


@preparer
class ScanQA(RoomPreparer):
    """See RoomPreparer."""

    name = "scanqa"
    summary = "ScanQA from its question files and ScanNet's scans, which you have: --from QUESTIONS --scans SCANS"
    title = "ScanQA"


@preparer
class SQA3D(RoomPreparer):
    """See RoomPreparer."""

    name = "sqa3d"
    summary = "SQA3D from its question files and ScanNet's scans, which you have: --from QUESTIONS --scans SCANS"
    title = "SQA3D"
