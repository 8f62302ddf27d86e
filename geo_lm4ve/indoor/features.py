"""What points of a scan may carry besides their coordinates, and what a network sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from geo_lm4ve.config import ConfigError, unknown

KINDS = {"color": 3, "normal": 3, "height": 1, "multiview": 128}
"""Kind of feature -> numbers per point, in the order of ScanQA's channels.

``color``: (rgb - ``MEAN_COLOR``) / 256 of red, green, blue in [0, 255]; ``normal``: of the mesh, not turned by the axis
alignment; ``height``: z above the 0.99th percentile (not the 99th) of z of all prepared points of the scan, before any
augmentation; ``multiview``: image features that were projected onto the points.
"""

MEAN_COLOR = (109.8, 97.2, 83.8)
"""Mean red, green and blue of ScanNet (ScanQA ``lib/dataset.py``)."""


@runtime_checkable
class GivesRooms(Protocol):
    """A config of data whose batches are questions about rooms.

    Attributes:
        features: kinds of features that the points carry.
        situated: questions come with situations.
    """

    features: list[str]

    @property
    def situated(self) -> bool:
        """See the class."""


def width(kinds: Sequence[str]) -> int:
    """Numbers per point of some kinds."""
    return sum(KINDS[kind] for kind in kinds)


def check_kinds(key: str, kinds: Sequence[str]) -> None:
    """ConfigError unless all are kinds, each once and in the order of ``KINDS``; ``key`` is where they are named."""
    if odd := [kind for kind in kinds if kind not in KINDS]:
        raise ConfigError(f"{key}: {unknown('kind of feature', odd[0], KINDS)}")
    if list(kinds) != [kind for kind in KINDS if kind in kinds]:
        ordered = ",".join(kind for kind in KINDS if kind in kinds)
        raise ConfigError(f"{key}=[{','.join(kinds)}] must name every kind once, in the order [{ordered}]")
