"""Indoor scans and questions about them: ScanNet, VoteNet + MCAN, ScanQA, SQA3D.

``PARTS`` says which module registers what.
"""

PARTS: dict[str, dict[str, str]] = {"task": {"answer_rooms": ".ask.task"}}
