"""Indoor scans and questions about them: ScanNet, VoteNet + MCAN, ScanQA, SQA3D.

``PARTS`` says which module registers what.
"""

PARTS: dict[str, dict[str, str]] = {
    "encoder": {"scanqa": ".encoders.scanqa", "sqa3d": ".encoders.sqa3d"},
    "head": {"scanqa": ".heads.scanqa", "sqa3d": ".heads.sqa3d"},
    "task": {"answer_rooms": ".ask.task"},
    "checkpoints": {"scanqa": ".checkpoints.scanqa", "sqa3d": ".checkpoints.sqa3d"},
    "data": {
        "scanqa": ".scanqa",
        "sqa3d": ".sqa3d",
        "synthetic_rooms": ".synthetic.source",
        "synthetic_rooms_sqa3d": ".synthetic.source",
    },
    "preparer": {
        "scanqa": ".prepare.scans",
        "sqa3d": ".prepare.scans",
        "synthetic_rooms": ".prepare.synthetic",
    },
}
