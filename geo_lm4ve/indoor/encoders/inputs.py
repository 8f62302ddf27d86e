"""What a model of questions about scans is called with: a RoomBatch, or points with questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.calls import InputError, described
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.indoor.features import KINDS, width
from geo_lm4ve.indoor.objects import CLASSES
from geo_lm4ve.language.texts import Texts, Words


def channels(batch: RoomBatch, kinds: Sequence[str]) -> Float[Tensor, "s n c"] | None:
    """The features of these kinds and no others, in this order; None for no kinds.

    Raises:
        InputError: the points do not carry one of them; says which.
    """
    if tuple(kinds) == batch.feature_names:
        return batch.features
    if missing := [kind for kind in kinds if kind not in batch.feature_names]:
        raise InputError(
            f"the encoder takes the features {', '.join(kinds)}, the points have "
            f"{', '.join(batch.feature_names) or 'none'}: no {', '.join(missing)}; set "
            f"data.features=[{','.join(kinds)}]"
        )
    if batch.features is None or not kinds:
        return None
    parts = batch.features.split([KINDS[kind] for kind in batch.feature_names], -1)
    named = dict(zip(batch.feature_names, parts))
    return torch.cat([named[kind] for kind in kinds], -1)


def room_batch(given: Any, kinds: Sequence[str], situated: bool) -> RoomBatch:
    """What a model was called with as a batch.

    Args:
        given: a RoomBatch; or points (S, N, 3 + C) and questions, one for each scan or a list for each, and where the
            model is ``situated``, situations in the same form. Mean sizes of boxes are then 1 m: answers do not depend
            on them, predicted boxes do.
        kinds: of the C features behind the coordinates.
        situated: every question has a situation.

    Raises:
        InputError: it is neither; says what to pass.
    """
    if isinstance(given, RoomBatch):
        return given
    if advice := _advice(given, 3 + width(kinds), situated):
        raise InputError(f"{_taken(kinds, situated)}; this is {described(given)}: {advice}")
    points, *texts = given
    room_of, questions = _flat(texts[0])
    return RoomBatch(
        points=points[..., :3],
        features=points[..., 3:] if kinds else None,
        feature_names=tuple(kinds),
        room_of=room_of,
        questions=questions,
        situations=_flat(texts[1])[1] if situated else None,
        index=torch.arange(len(room_of)),
        mean_sizes=torch.ones(len(CLASSES), 3),
    )


def _flat(texts: Any) -> tuple[tuple[int, ...], Texts]:
    """The row of the scan of each text, and the texts one behind the other."""
    if isinstance(texts, Words):
        return tuple(range(len(texts))), texts
    lists = [[text] if isinstance(text, str) else text for text in texts]
    room_of = tuple(room for room, own in enumerate(lists) for _ in own)
    return room_of, tuple(text for own in lists for text in own)


def _taken(kinds: Sequence[str], situated: bool) -> str:
    named, size = f"x, y, z{''.join(f', then {kind}' for kind in kinds)}", 3 + width(kinds)
    texts = '["What is left of the bed?"]' + (', ["I am facing the door."]' if situated else "")
    return (
        f"a model of questions about scans takes points ({named}) as a floating point tensor (S, N, {size}) with "
        f"{'questions and situations' if situated else 'questions'}, one for each scan or a list for each, e.g. "
        f"model((torch.rand(1, 40000, {size}), {texts})), or a RoomBatch"
    )


def _advice(given: Any, size: int, situated: bool) -> str:
    """What to write in place of what is no such tuple; "" for what is."""
    if not isinstance(given, tuple) or not given:
        return "put points and texts into a tuple, model((points, questions))"
    points, *texts = given
    if not isinstance(points, Tensor) or points.dim() != 3 or points.shape[2] != size or not len(points):
        return f"its first part is {described(points)}, not points (S, N, {size})"
    if not points.is_floating_point():
        return "make the points fractions, points.float()"
    if len(texts) != 1 + situated:
        wanted = "questions and situations" if situated else "questions and nothing else"
        return f"behind the points there are {len(texts)} parts, not {wanted}"
    wrong = next((text for text in texts if not _are_texts(text, len(points))), None)
    if wrong is not None:
        return f"{described(wrong)} is no text or list of texts for each of {len(points)} scans"
    if situated and _flat(texts[0])[0] != _flat(texts[1])[0]:
        return "every question needs one situation"
    return ""


def _are_texts(texts: Any, scans: int) -> bool:
    if isinstance(texts, Words):
        return len(texts) == scans
    if not isinstance(texts, list | tuple) or len(texts) != scans:
        return False
    lists = [[text] if isinstance(text, str) else text for text in texts]
    return any(lists) and all(isinstance(own, list | tuple) and all(isinstance(t, str) for t in own) for own in lists)
