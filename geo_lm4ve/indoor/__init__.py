"""Indoor scans and questions about them: ScanNet, VoteNet + MCAN, ScanQA, SQA3D.

``PARTS`` says which module registers what.
"""

PARTS: dict[str, dict[str, str]] = {
    "data": {
        "scanqa": ".scanqa",
        "sqa3d": ".sqa3d",
        "synthetic_rooms": ".synthetic.source",
        "synthetic_rooms_sqa3d": ".synthetic.source",
    },
    "preparer": {
        "scanqa": ".prepare.scanqa",
        "sqa3d": ".prepare.sqa3d",
        "synthetic_rooms": ".prepare.synthetic",
    },
}
