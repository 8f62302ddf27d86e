"""What an encoder reads of a batch of clouds: the coordinates, and the point features that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.points.batch import PointBatch

CHANNELS = {"height": 1, "normal": 3, "color": 3, "intensity": 1}
"""Kinds of point features, and how many channels each has."""


def input_channels(kinds: Sequence[str]) -> int:
    """Three coordinates, and the channels of these kinds of features; ConfigError names one that there is not."""
    for kind in kinds:
        if kind not in CHANNELS:
            raise ConfigError("encoder.features: " + unknown("kind of point feature", kind, CHANNELS))
    return 3 + sum(CHANNELS[kind] for kind in kinds)


def with_features(given: Any, kinds: Sequence[str], channels: int) -> PointBatch:
    """What a model was called with as a batch: of a tensor (B, N, 3 + C) the last C channels are features.

    Args:
        given: a PointBatch, or a tensor.
        kinds: what a tensor's features are taken to be.
        channels: how many the model takes, the coordinates included; of a tensor for one that takes 3, no more are
            taken for features.

    Raises:
        InputError: it is neither.
    """
    if channels == 3 or not isinstance(given, Tensor) or given.dim() != 3 or given.shape[2] <= 3:
        return PointBatch.of(given)
    clouds = PointBatch.of(given[..., :3])
    return replace(clouds, features=given[..., 3:], feature_names=tuple(kinds))


def point_channels(batch: PointBatch, kinds: Sequence[str], channels: int) -> Float[Tensor, "b n c"]:
    """Coordinates and features of every point side by side.

    Args:
        batch: the clouds; features that are not asked for are left out.
        kinds: the features, in this order; (): all that the batch has, unless ``channels`` is 3.
        channels: how many channels there must be, the coordinates included.

    Raises:
        InputError: the batch lacks a kind, or has another number of channels.
    """
    parts = [batch.points]
    if channels > 3 and batch.features is not None:
        parts += [batch.features[..., piece] for piece in _pieces(batch, kinds)]
    found = sum(part.shape[2] for part in parts)
    if found != channels:
        has = ", ".join(batch.feature_names) or "no names"
        more = 0 if batch.features is None else batch.features.shape[2]
        wanted = ", ".join(kinds) or f"{channels - 3} more"
        raise InputError(
            f"the encoder takes {channels} channels, x, y, z and {wanted}; the clouds have x, y, z and {more} more "
            f"({has}): give those it takes, or build it for these (encoder.features, or encoder.in_channels={3 + more})"
        )
    return torch.cat([part.to(batch.points.dtype) for part in parts], dim=2)


def _pieces(batch: PointBatch, kinds: Sequence[str]) -> list[slice]:
    """Where the features of these kinds stand among a batch's; of kinds that it lacks nothing."""
    if not kinds:
        return [slice(None)]
    places, end = {}, 0
    for name in batch.feature_names:
        places[name] = slice(end, end := end + CHANNELS[name])
    return [places[kind] for kind in kinds if kind in places]
