"""What the configs of all encoders of point clouds share: the features of the points that they take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from geo_lm4ve.parts.data import DataConfig
from geo_lm4ve.parts.encoder import EncoderConfig
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.points.features import GivesFeatures, as_list, check_kinds, lacking, width


@dataclass
class PointEncoderConfig(EncoderConfig):
    """Base of the configs of encoders of point clouds.

    Attributes:
        features: kinds (``points.features.KINDS``) that the first layer takes behind x, y, z, in this order;
            ``data.features`` says which of them the data give.
    """

    takes: ClassVar[type | None] = PointBatch

    features: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the kinds; raises ConfigError."""
        check_kinds("encoder.features", self.features)

    @property
    def channels(self) -> int:
        """Numbers per point that the first layer takes: 3 coordinates and the features."""
        return 3 + width(self.features)

    def lacks(self, data: DataConfig | type[DataConfig]) -> str:
        """See EncoderConfig.lacks: data give the features that are taken, and none that nobody takes."""
        if isinstance(data, type) or not isinstance(data, GivesFeatures):
            return ""
        given = data.features
        if unused := [kind for kind in given if kind not in self.features]:
            return lacking(given, self.features) or (
                f"the data have the features {', '.join(given)}, the encoder takes "
                f"{', '.join(self.features) or 'none'}: set encoder.features={as_list(given)}, or leave "
                f"{', '.join(unused)} out of data.features"
            )
        return lacking(given, self.features)
