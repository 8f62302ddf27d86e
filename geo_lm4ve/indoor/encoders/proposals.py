"""VoteNet's proposals: boxes round clusters of votes, the detector's own ones or the true ones."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from geo_lm4ve.calls import InputError
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import Detection
from geo_lm4ve.indoor.encoders.backbone import SKIP_NEAR_ORIGIN
from geo_lm4ve.indoor.encoders.voting import Votes
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.layers.folded_norm import NormedLinear
from geo_lm4ve.layers.set_abstraction import SetAbstraction

_KINDS = len(CLASSES)
_PARTS = {
    "objectness": 2, "offset": 3, "heading_scores": 1, "heading_residuals": 1, "size_scores": _KINDS,
    "size_residuals": 3 * _KINDS, "class_scores": _KINDS,
}  # fmt: skip
"""What the last layer's outputs are, in their order."""
RADIUS = 0.3
"""Of a cluster of votes [m]."""


class Found(NamedTuple):
    """The proposals in S scans and what is known of each besides, (S, P, D)."""

    detection: Detection
    features: Float[Tensor, "s p d"]


class PredictedProposals(nn.Module):
    """Clusters round the farthest votes; a shared MLP says what each of them is.

    Args:
        inputs: channels of the votes' features.
        dim: D, of a proposal's features.
        count: P, proposals per scan.
        neighbours: votes of a cluster.
    """

    def __init__(self, inputs: int, dim: int, count: int, neighbours: int):
        super().__init__()
        self.aggregation = SetAbstraction(
            inputs, [dim] * 3, count, RADIUS, neighbours, skip_near_origin=SKIP_NEAR_ORIGIN
        )
        self.hidden = nn.ModuleList(NormedLinear(dim, dim) for _ in range(2))
        self.out = nn.Linear(dim, sum(_PARTS.values()))

    def forward(self, votes: Votes, batch: RoomBatch) -> Found:
        """Boxes as the network has them."""
        clusters, features, _ = self.aggregation(votes.points, votes.features, finite=True)
        return Found(self.said(votes, clusters, features, batch), features)

    def said(
        self, votes: Votes, clusters: Float[Tensor, "s p 3"], features: Float[Tensor, "s p d"], batch: RoomBatch
    ) -> Detection:
        """What the shared MLP says of clusters; scores have the precision of coordinates."""
        x = features
        for layer in self.hidden:
            x = layer(x, relu=True)
        parts = dict(zip(_PARTS, self.out(x).to(clusters.dtype).split(list(_PARTS.values()), -1)))
        return Detection(
            seeds=votes.seeds.points,
            seed_indices=votes.seeds.indices,
            votes=votes.points,
            clusters=clusters,
            center=clusters + parts.pop("offset"),
            size_residuals=parts.pop("size_residuals").unflatten(-1, (_KINDS, 3)),
            mean_sizes=batch.mean_sizes.to(clusters.dtype),
            **parts,
        )


class TrueProposals(PredictedProposals):
    """Clusters round the centres of the true boxes (``proposals=gt``); boxes, classes and objectness are the truth."""

    def forward(self, votes: Votes, batch: RoomBatch) -> Found:
        """As many proposals as there are objects in the scan with most of them; the padding of others is no object.

        Raises:
            InputError: nobody says where the objects are.
        """
        if batch.objects is None:
            raise InputError(
                "encoder.proposals=gt takes the true boxes for proposals, but this batch has no objects: give a "
                "RoomBatch with objects, or build the model with proposals=predicted"
            )
        boxes, classes, valid = batch.objects.boxes.to(votes.points.dtype), batch.objects.classes, batch.objects.valid
        if not boxes.shape[1]:  # no scan has any: a place for one that is none
            boxes, classes, valid = F.pad(boxes, (0, 0, 0, 1)), F.pad(classes, (0, 1)), F.pad(valid, (0, 1))
        center, size = boxes.split(3, -1)
        features = self.aggregation.around(center, votes.points, votes.features, finite=True)
        mean_sizes = batch.mean_sizes.to(center.dtype)
        known = F.one_hot(classes, _KINDS).to(center.dtype)
        zeros = center.new_zeros(*center.shape[:2], 1)
        detection = Detection(
            seeds=votes.seeds.points,
            seed_indices=votes.seeds.indices,
            votes=votes.points,
            clusters=center,
            objectness=torch.stack([~valid, valid], -1).to(center.dtype),
            center=center,
            heading_scores=zeros,
            heading_residuals=zeros,
            size_scores=known,
            size_residuals=size[:, :, None] / mean_sizes - 1,
            class_scores=known,
            mean_sizes=mean_sizes,
            truth=torch.arange(boxes.shape[1], device=boxes.device).where(valid, -1),
        )
        return Found(detection, features)
