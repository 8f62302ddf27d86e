"""VoteNet: the objects of a scan as boxes, each with a feature (arXiv 1904.09664)."""

from __future__ import annotations

import torch
from torch import nn

from geo_lm4ve.config import ConfigError
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.encoders.backbone import Backbone
from geo_lm4ve.indoor.encoders.config import Proposals, RoomEncoderConfig
from geo_lm4ve.indoor.encoders.inputs import channels
from geo_lm4ve.indoor.encoders.proposals import Found, PredictedProposals, TrueProposals
from geo_lm4ve.indoor.encoders.voting import Voting

_PROPOSALS: dict[Proposals, type[PredictedProposals]] = {
    Proposals.predicted: PredictedProposals,
    Proposals.gt: TrueProposals,
}


class VoteNet(nn.Module):
    """RoomBatch -> proposals of its scans, however many questions are about each.

    Attributes:
        dim: D, of a proposal's features.
    """

    def __init__(self, config: RoomEncoderConfig):
        super().__init__()
        self.features, self.fewest = tuple(config.features), config.fewest_points
        seed_dim, self.dim = 4 * config.width, 2 * config.width
        self.backbone = Backbone(config.channels, config.width, config.seeds, config.neighbours)
        self.voting = Voting(seed_dim)
        self.proposals = _PROPOSALS[config.proposals](
            seed_dim, self.dim, config.num_proposals, max(config.neighbours // 4, 1)
        )

    def forward(self, batch: RoomBatch) -> Found:
        """The proposals in S scans, in the precision of the weights.

        Raises:
            ConfigError: the scans have fewer points than are sampled.
            InputError: they lack a feature, or objects where true proposals are asked for.
        """
        if batch.points.shape[1] < self.fewest:
            raise ConfigError(
                f"scans of {batch.points.shape[1]} points are too small for a detector that samples {self.fewest}: "
                f"take denser scans, or encoder.seeds of at most {batch.points.shape[1] // 2}"
            )
        dtype = self.voting.out.weight.dtype
        features = channels(batch, self.features)
        seeds = self.backbone(batch.points.to(dtype), None if features is None else features.to(dtype))
        with torch.autocast(batch.points.device.type, enabled=False):  # 8 bits of a coordinate are decimetres
            votes = self.voting(seeds._replace(features=seeds.features.to(dtype)))
            found: Found = self.proposals(votes, batch)
        return found
