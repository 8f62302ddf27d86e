"""Protocol: whose rules a forecast is scored by, and in what the rules differ."""

from __future__ import annotations

import enum


class Protocol(enum.Enum):
    """Whose evaluation rules apply; the value is its name on the command line and in results.

    Attributes:
        smallest_ade: minADE is the smallest average error of the modes; else that of the mode with the best end.
        extra_metrics: what it reports besides the metrics that all protocols share.
        joint: it also scores all tracks of a scene together, as worlds.
        block: scenes to score at a time. Larger temporary arrays cost more in page faults than they save in calls,
            and ``smallest_ade`` needs larger ones: the errors of all steps of all modes.
    """

    _value_: str
    smallest_ade: bool
    extra_metrics: tuple[str, ...]
    joint: bool
    block: int

    def __new__(
        cls, name: str, smallest_ade: bool, extra_metrics: tuple[str, ...], joint: bool, block: int
    ) -> Protocol:
        """A member whose value is its name alone, so that files and ``Protocol("av1")`` need no more."""
        member = object.__new__(cls)
        member._value_ = name
        member.smallest_ade, member.extra_metrics = smallest_ade, extra_metrics
        member.joint, member.block = joint, block
        return member

    av1 = "av1", False, (), False, 4096
    av2 = "av2", True, ("minADE@bestFDE",), True, 1024
