"""Small batches of questions with what a model might say about them, out of random numbers."""

from dataclasses import fields, replace

import torch

from geo_lm4ve.indoor.batch import RoomBatch, Truth
from geo_lm4ve.indoor.detection import Detection, RoomAnswers
from geo_lm4ve.indoor.losses.rooms import RoomLosses
from geo_lm4ve.indoor.objects import CLASSES, RoomObjects

SCANS, POINTS, SEEDS, PROPOSALS, OBJECTS, ANSWERS = 3, 300, 20, 12, 5, 14
ROOM_OF = (0, 0, 1, 2, 2, 1, 0)
LOSSES = tuple(field.name for field in fields(RoomLosses))
WORDS = tuple(f"answer {number}" for number in range(ANSWERS))


def random_objects(generator, points):
    """The last object of scan 0 and the last two of scan 1 are padding."""
    valid = torch.ones(SCANS, OBJECTS, dtype=torch.bool)
    valid[0, -1:], valid[1, -2:] = False, False
    centers = torch.rand(SCANS, OBJECTS, 3, generator=generator) * 2
    sizes = torch.rand(SCANS, OBJECTS, 3, generator=generator) + 0.3
    instances = torch.randint(-1, OBJECTS, points.shape[:2], generator=generator)
    instances = torch.where(valid.gather(1, instances.clamp(min=0)), instances, -1)
    classes = torch.randint(0, len(CLASSES), (SCANS, OBJECTS), generator=generator)
    return RoomObjects(
        torch.where(valid[..., None], torch.cat([centers, sizes], -1), 0.0),
        torch.where(valid, classes, 0),
        torch.where(valid, torch.arange(OBJECTS), -1),
        valid,
        instances,
    )


def random_batch(seed=0, **changes):
    """Questions about three scans; the third has no target, the fourth no right answer, the fifth no pose."""
    generator = torch.Generator().manual_seed(seed)
    count = len(ROOM_OF)
    points = torch.rand(SCANS, POINTS, 3, generator=generator) * 2.5
    answers = (torch.rand(count, ANSWERS, generator=generator) < 0.15) * torch.rand(count, ANSWERS, generator=generator)
    answers[torch.arange(count), torch.randint(0, ANSWERS, (count,), generator=generator)] = 0.9
    target = torch.randint(0, OBJECTS - 2, (count,), generator=generator)
    poses, posed = torch.randn(count, 7, generator=generator), torch.ones(count, dtype=torch.bool)
    answers[3], target[2], posed[4] = 0, -1, False
    batch = RoomBatch(
        points=points,
        features=None,
        feature_names=(),
        room_of=ROOM_OF,
        questions=tuple(f"question {number}?" for number in range(count)),
        index=torch.arange(count),
        mean_sizes=torch.rand(len(CLASSES), 3, generator=generator) + 0.5,
        objects=random_objects(generator, points),
        truth=Truth(answers, target, poses, posed),
        names=tuple(f"val-{number}" for number in range(count)),
        scans=tuple(f"scene{number:04d}_00" for number in range(SCANS)),
    )
    return replace(batch, **changes)


def random_detection(batch, generator):
    """Half of the proposals lie at true centres, so that some count as objects."""
    scans = len(batch.points)

    def noise(*shape):
        return torch.randn(*shape, generator=generator)

    indices = torch.stack([torch.randperm(POINTS, generator=generator)[:SEEDS] for _ in range(scans)])
    rows = torch.randint(0, OBJECTS - 2, (scans, PROPOSALS), generator=generator)
    true = torch.rand(scans, OBJECTS, 3) * 2 if batch.objects is None else batch.objects.boxes[..., :3]
    near = true.gather(1, rows[..., None].expand(-1, -1, 3)) + 0.15 * noise(scans, PROPOSALS, 3)
    far = 4 * torch.rand(scans, PROPOSALS, 3, generator=generator)
    seeds = batch.points.gather(1, indices[..., None].expand(-1, -1, 3))
    return Detection(
        seeds=seeds,
        seed_indices=indices,
        votes=seeds + 0.3 * noise(scans, SEEDS, 3),
        clusters=torch.where(torch.arange(PROPOSALS)[:, None] % 2 == 0, near, far),
        objectness=noise(scans, PROPOSALS, 2),
        center=near + 0.1 * noise(scans, PROPOSALS, 3),
        heading_scores=noise(scans, PROPOSALS, 1),
        heading_residuals=noise(scans, PROPOSALS, 1),
        size_scores=noise(scans, PROPOSALS, len(CLASSES)),
        size_residuals=noise(scans, PROPOSALS, len(CLASSES), 3),
        class_scores=2 * noise(scans, PROPOSALS, len(CLASSES)),
        mean_sizes=batch.mean_sizes,
    )


def one_scan(voting=4, proposals=1, **given):
    """A detection in one scan out of zeros, but for what is given."""
    zeros = torch.zeros
    values = {
        "seeds": zeros(1, voting, 3), "seed_indices": torch.arange(voting)[None], "votes": zeros(1, voting, 3),
        "clusters": zeros(1, proposals, 3), "objectness": zeros(1, proposals, 2), "center": zeros(1, proposals, 3),
        "heading_scores": zeros(1, proposals, 1), "heading_residuals": zeros(1, proposals, 1),
        "size_scores": zeros(1, proposals, 18), "size_residuals": zeros(1, proposals, 18, 3),
        "class_scores": zeros(1, proposals, 18), "mean_sizes": torch.ones(18, 3),
    }  # fmt: skip
    return Detection(**{**values, **given})


def random_answers(batch, seed=1):
    """What a model might say; everything in it may have a gradient."""
    generator = torch.Generator().manual_seed(seed)
    count = len(batch)
    return RoomAnswers(
        answers=torch.randn(count, ANSWERS, generator=generator),
        references=torch.randn(count, PROPOSALS, generator=generator),
        classes=torch.randn(count, len(CLASSES), generator=generator),
        poses=torch.randn(count, 7, generator=generator),
        detection=random_detection(batch, generator),
        room_of=torch.tensor(batch.room_of),
    )


def double(values):
    """A dataclass of tensors in float64, as far as they are fractions."""
    changed = {
        name: value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in vars(values).items()
    }
    return replace(values, **changed)


def precise(batch, answers):
    """The same in float64."""
    batch = replace(double(batch), objects=double(batch.objects), truth=double(batch.truth))
    return batch, replace(double(answers), detection=double(answers.detection))


def values(losses):
    return {name: getattr(losses, name).item() for name in LOSSES}


def leaves(answers):
    """The same answers with a gradient at every fraction, and these by name."""
    own = {name: value.requires_grad_() for name, value in said(answers).items()}
    found = {name: value.requires_grad_() for name, value in said(answers.detection).items()}
    return replace(answers, detection=answers.detection), own, found


def said(values):
    return {n: v for n, v in vars(values).items() if isinstance(v, torch.Tensor) and v.is_floating_point()}
