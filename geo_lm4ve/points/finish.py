"""From the points that a batch takes to its points and features: the last step, the same for files and data sets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.points.augment import Pose
from geo_lm4ve.points.features import KINDS, in_files


@dataclass(frozen=True)
class Finish:
    """How batches are finished: scale and shift, heights, unit sphere, rotation, in this order (OpenPoints').

    Attributes:
        kinds: features of a batch, in their order.
        up: number of the axis that points up.
        normalize: centre the scaled points and scale them to the unit sphere.
    """

    kinds: tuple[str, ...] = ()
    up: int = 2
    normalize: bool = False

    def __call__(
        self, points: Float[Tensor, "b n 3"], stored: Float[Tensor, "b n c"] | None, pose: Pose | None = None
    ) -> tuple[Float[Tensor, "b n 3"], Float[Tensor, "b n d"] | None]:
        """Points and features of a batch.

        Args:
            points: as they are stored.
            stored: features of the kinds that files hold, in the order of ``kinds``.
            pose: of augmentation; None: none.
        """
        scaled = pose.affine(points) if pose else points
        features = self._features(scaled, stored, pose) if self.kinds else None
        placed = normalize_unit_sphere(scaled) if self.normalize else scaled
        return pose.rotation(placed) if pose and pose.rotation else placed, features

    def _features(self, scaled: Tensor, stored: Tensor | None, pose: Pose | None) -> Tensor:
        held = in_files(self.kinds)
        values = {} if stored is None else dict(zip(held, stored.split([KINDS[kind] for kind in held], dim=-1)))
        if pose and "normal" in values:
            normals = pose.affine.normals(values["normal"])
            values["normal"] = pose.rotation(normals) if pose.rotation else normals
        if "height" in self.kinds:
            along = scaled[..., self.up, None]
            values["height"] = along - along.amin(dim=-2, keepdim=True)
        return torch.cat([values[kind] for kind in self.kinds], dim=-1)


PLAIN = Finish()
"""No features, and points as they are."""
