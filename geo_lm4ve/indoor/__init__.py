"""Indoor scans and questions about them: ScanNet, VoteNet + MCAN, ScanQA, SQA3D.

``PARTS`` says which module registers what.
"""

PARTS: dict[str, dict[str, str]] = {
    "data": {"scanqa": ".scanqa", "sqa3d": ".sqa3d"},
    "preparer": {"scanqa": ".prepare.scanqa", "sqa3d": ".prepare.sqa3d"},
}
