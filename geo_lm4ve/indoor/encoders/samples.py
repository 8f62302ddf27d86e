"""Made-up scans with questions, for tests of models and a first look."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from geo_lm4ve.indoor.batch import RoomBatch, Truth
from geo_lm4ve.indoor.features import width
from geo_lm4ve.indoor.objects import CLASSES, RoomObjects
from geo_lm4ve.language.texts import Texts, Words

WORD_DIM = 300
"""Width of GloVe's vectors, which the made-up words have."""
_OBJECTS = 5


def sample_rooms(
    size: int, points: int, kinds: Sequence[str], answers: int, seed: int = 0, *, spoken: bool = False
) -> RoomBatch:
    """``size`` questions about half as many scans of uniform points, in which boxes lie about.

    Args:
        size: questions B.
        points: N, of each scan.
        kinds: of the features of points.
        answers: A, of the vocabulary.
        seed: of the draw.
        spoken: texts are strings; else normal vectors of words, as wide as GloVe's.
    """
    random = torch.Generator().manual_seed(seed)
    rooms = (size + 1) // 2
    room_of = tuple(sorted([*range(rooms), *range(rooms)][:size]))
    cloud = torch.rand(rooms, points, 3, generator=random) * torch.tensor([5.0, 4.0, 2.0])
    objects = _objects(cloud, random)
    return RoomBatch(
        points=cloud,
        features=torch.rand(rooms, points, width(kinds), generator=random) if kinds else None,
        feature_names=tuple(kinds),
        room_of=room_of,
        questions=_texts(size, 7, random, spoken),
        situations=_texts(size, 9, random, spoken),
        index=torch.arange(size),
        mean_sizes=0.5 + torch.rand(len(CLASSES), 3, generator=random),
        objects=objects,
        truth=_truth(size, answers, random),
    )


def _objects(cloud: Tensor, random: torch.Generator) -> RoomObjects:
    """Boxes round points of the cloud; in every scan but the first the last one is padding."""
    rooms = len(cloud)
    sizes = 0.3 + torch.rand(rooms, _OBJECTS, 3, generator=random)
    boxes = torch.cat([cloud[:, :_OBJECTS], sizes], -1)
    valid = torch.ones(rooms, _OBJECTS, dtype=torch.bool)
    valid[1:, -1] = False
    inside = ((cloud[:, :, None] - boxes[:, None, :, :3]).abs() <= sizes[:, None] / 2).all(-1) & valid[:, None]
    return RoomObjects(
        boxes=boxes.where(valid[..., None], 0.0),
        classes=torch.randint(len(CLASSES), (rooms, _OBJECTS), generator=random).where(valid, 0),
        ids=torch.arange(_OBJECTS).expand(rooms, -1).where(valid, -1),
        valid=valid,
        instances=inside.byte().argmax(-1).where(inside.any(-1), -1),
    )


def _texts(size: int, longest: int, random: torch.Generator, spoken: bool) -> Texts:
    """Texts of fewer and fewer words."""
    lengths = tuple(max(longest - number, 1) for number in range(size))
    if spoken:
        return tuple(" ".join(CLASSES[:length]) for length in lengths)
    vectors = torch.randn(size, longest, WORD_DIM, generator=random)
    places = torch.arange(longest)[:, None]
    return Words(vectors.where(places < torch.tensor(lengths)[:, None, None], 0.0), lengths)


def _truth(size: int, answers: int, random: torch.Generator) -> Truth:
    """One right answer each, about the first object; every asker stands somewhere."""
    one_hot = torch.nn.functional.one_hot(torch.randint(answers, (size,), generator=random), answers).float()
    poses = torch.rand(size, 7, generator=random)
    return Truth(one_hot, torch.zeros(size, dtype=torch.int64), poses, torch.ones(size, dtype=torch.bool))
