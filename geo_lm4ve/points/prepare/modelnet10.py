"""ModelNet10, made of meshes or clouds that one has."""

from __future__ import annotations

from geo_lm4ve.points.modelnet_names import MODELNET10
from geo_lm4ve.points.prepare.modelnet import ModelNet
from geo_lm4ve.prepare.base import preparer


@preparer
class ModelNet10(ModelNet):
    """See ModelNet."""

    name = "modelnet10"
    summary = "ModelNet10 from the unpacked OFF meshes or normal-resampled clouds that you have: --from FOLDER"
    title = "ModelNet10"
    classes = MODELNET10
    option = "modelnet10"
