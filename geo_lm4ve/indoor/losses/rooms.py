"""All losses of one batch of questions about scans."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.detection import Detection, RoomAnswers
from geo_lm4ve.indoor.losses.matching import match_clusters
from geo_lm4ve.indoor.losses.means import nothing
from geo_lm4ve.indoor.losses.precision import wide
from geo_lm4ve.indoor.losses.proposals import box_loss, objectness_loss, semantic_loss
from geo_lm4ve.indoor.losses.questions import AnswerLoss, answer_loss, language_loss, pose_loss, reference_loss
from geo_lm4ve.indoor.losses.voting import vote_loss
from geo_lm4ve.indoor.objects import RoomObjects


@dataclass(frozen=True)
class RoomLosses:
    """Scalars before any weight; 0 where nothing is known of what they compare with, or the model does not say it.

    Attributes:
        vote: of seed points on objects.
        objectness, box, semantic: of proposals.
        reference, language: of questions whose target is known.
        answer: of questions with a right answer in the vocabulary.
        pose: of questions whose asker's place is known.
    """

    vote: Float[Tensor, ""]
    objectness: Float[Tensor, ""]
    box: Float[Tensor, ""]
    semantic: Float[Tensor, ""]
    reference: Float[Tensor, ""]
    language: Float[Tensor, ""]
    answer: Float[Tensor, ""]
    pose: Float[Tensor, ""]


def room_losses(
    answers: RoomAnswers,
    batch: RoomBatch,
    *,
    answer: AnswerLoss = AnswerLoss.bce,
    position: float = 1.0,
    rotation: float = 1.0,
) -> RoomLosses:
    """Every loss of a batch, in float32 at least.

    Where proposals are the true boxes (``Detection.truth``), nothing is asked of them; seeds vote all the same, for the
    features of a box are those of the votes that meet at its centre.

    Args:
        answers: what the model says.
        batch: with ``objects`` and ``truth`` as far as they are known.
        answer: kind of ``answer_loss``.
        position: weight of ``pose_loss``.
        rotation: weight of ``pose_loss``.
    """
    answers = wide(answers)
    return RoomLosses(
        *_of_detection(answers.detection, batch),
        *_of_targets(answers, batch),
        _of_answers(answers, batch, answer),
        _of_poses(answers, batch, position, rotation),
    )


def known_objects(batch: RoomBatch) -> RoomObjects | None:
    """The objects of a batch; None where there is not even room for one."""
    return batch.objects if batch.objects is not None and batch.objects.boxes.shape[1] else None


def _of_detection(found: Detection, batch: RoomBatch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    objects = known_objects(batch)
    off = nothing(*(value for value in vars(found).values() if value is not None and value.is_floating_point()))
    if objects is None:
        return off, off, off, off
    votes = vote_loss(found, batch.points, objects)
    if found.truth is not None:
        return votes, off, off, off
    matching = match_clusters(found.clusters, objects)
    return (
        votes,
        objectness_loss(found, matching),
        box_loss(found, objects, matching),
        semantic_loss(found, objects, matching),
    )


def _of_targets(answers: RoomAnswers, batch: RoomBatch) -> tuple[Tensor, Tensor]:
    objects, rooms = known_objects(batch), answers.room_of
    reference = _off(answers, answers.references)
    language = _off(answers, answers.classes)
    if objects is not None and batch.truth is not None:
        target = batch.truth.target
        if answers.references is not None:
            reference = reference_loss(answers.references, answers.detection, rooms, objects, target)
        if answers.classes is not None:
            language = language_loss(answers.classes, objects, rooms, target)
    return reference, language


def _of_answers(answers: RoomAnswers, batch: RoomBatch, kind: AnswerLoss) -> Tensor:
    return nothing(answers.answers) if batch.truth is None else answer_loss(answers.answers, batch.truth.answers, kind)


def _of_poses(answers: RoomAnswers, batch: RoomBatch, position: float, rotation: float) -> Tensor:
    truth = batch.truth
    if answers.poses is None or truth is None or truth.poses is None or truth.posed is None:
        return _off(answers, answers.poses)
    return pose_loss(answers.poses, truth.poses, truth.posed, position=position, rotation=rotation)


def _off(answers: RoomAnswers, said: Tensor | None) -> Tensor:
    """A loss of what the model says, or does not say, where there is nothing to compare it with."""
    return nothing(answers.answers if said is None else said)
