"""Answers in a precision that sums can be taken in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.indoor.detection import RoomAnswers


def wide(answers: RoomAnswers) -> RoomAnswers:
    """The same answers with half types made float32, those of the detection too."""
    return replace(answers, **_wide(answers), detection=replace(answers.detection, **_wide(answers.detection)))


def _wide(values: Any) -> dict[str, Tensor]:
    return {
        name: value.to(torch.promote_types(value.dtype, torch.float32))
        for name, value in vars(values).items()
        if isinstance(value, Tensor) and value.is_floating_point()
    }
