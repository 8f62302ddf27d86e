"""What a detector found in scans, and what a model answers about them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from geo_lm4ve.tokens import take


@dataclass(frozen=True)
class Detection:
    """VoteNet's proposals in S scans, before anything is decided.

    Attributes:
        seeds: (S, V, 3) points that vote [m].
        seed_indices: (S, V) their rows among the points of the scan.
        votes: (S, V, 3) where each of them takes the centre of its object to be.
        clusters: (S, P, 3) votes that proposals are made round.
        objectness: (S, P, 2) scores of "no object" and "object".
        center: (S, P, 3) of the proposed box.
        heading_scores: (S, P, 1) of the one heading there is.
        heading_residuals: (S, P, 1) of it, in units of pi.
        size_scores: (S, P, 18) which class's mean size is nearest.
        size_residuals: (S, P, 18, 3) size less that mean size, in units of it.
        class_scores: (S, P, 18).
        mean_sizes: (18, 3) [m].
        truth: (S, P) where proposals are the true boxes (``proposals=gt``): row of the object, -1 for none; else None.
    """

    seeds: Float[Tensor, "s v 3"]
    seed_indices: Int64[Tensor, "s v"]
    votes: Float[Tensor, "s v 3"]
    clusters: Float[Tensor, "s p 3"]
    objectness: Float[Tensor, "s p 2"]
    center: Float[Tensor, "s p 3"]
    heading_scores: Float[Tensor, "s p 1"]
    heading_residuals: Float[Tensor, "s p 1"]
    size_scores: Float[Tensor, "s p 18"]
    size_residuals: Float[Tensor, "s p 18 3"]
    class_scores: Float[Tensor, "s p 18"]
    mean_sizes: Float[Tensor, "18 3"]
    truth: Int64[Tensor, "s p"] | None = None

    @property
    def is_object(self) -> Bool[Tensor, "s p"]:
        """True where a proposal is taken for an object."""
        return self.objectness.argmax(-1).bool()

    @property
    def boxes(self) -> Float[Tensor, "s p 6"]:
        """Centre and size [m] of every proposal; sizes may be negative, as nothing keeps them from it."""
        chosen = self.size_scores.argmax(-1)
        mean = self.mean_sizes[chosen]
        residual = take(self.size_residuals.flatten(0, 1), chosen.flatten()[:, None]).squeeze(1).view_as(mean)
        return torch.cat([self.center, mean + residual * mean], -1)


@dataclass(frozen=True)
class RoomAnswers:
    """What a model says to B questions about S scans.

    Attributes:
        answers: (B, A) score of every answer, before any sigmoid or softmax.
        references: (B, P) how well each proposal is what the question is about; None: the model does not say.
        classes: (B, 18) class of the object that the question is about; None: the model does not say.
        poses: (B, 7) where the asker stands, position and quaternion; None: the model does not say.
        detection: proposals in the S scans.
        room_of: (B,) row of the scan of each question.
    """

    answers: Float[Tensor, "b a"]
    references: Float[Tensor, "b p"] | None
    classes: Float[Tensor, "b 18"] | None
    poses: Float[Tensor, "b 7"] | None
    detection: Detection
    room_of: Int64[Tensor, " b"]
