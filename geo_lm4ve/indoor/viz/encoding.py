"""Scans and questions as the values that ``rooms.js`` reads."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt16

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz import shapes
from geo_lm4ve.indoor.viz.asked import Activation, Asked
from geo_lm4ve.indoor.viz.cloud import cloud_of
from geo_lm4ve.viz.listing import text

POINT_BYTES = 5 * 2 * 4 / 3
"""What a point takes in a page: five 16-bit numbers as base64."""
_SIDES = (0.3, 0.6, 0.8, 0.97)
"""Quantiles of the points' spacing: a page knows dots of four sizes, and each has the next size that is no smaller."""


def encode_room(room: Room, limit: int) -> dict[str, Any]:
    """At most ``limit`` points of a scan.

    ``points`` is base64 of little-endian uint16: x, y, z in 65,535ths of ``size`` above ``low`` [m]; red, green and
    blue (5 bits each); x, y and z of the normal (5 bits each, 15 for 0; all 15: none). The first bits of the last two,
    one after the other, are the row of the side of the dot in ``sides`` [m].
    """
    cloud = cloud_of(room, limit)
    low = cloud.points.min(0).astype(float)
    size = np.maximum(cloud.points.max(0) - low, 1e-6)
    places = np.round((cloud.points - low) / size * 65535).astype(np.uint16)
    sides = np.quantile(cloud.spacing, _SIDES)
    row = np.searchsorted(sides[:-1], cloud.spacing)
    packed = [_packed(row >> 1, cloud.colors >> 3), _packed(row & 1, np.round(15 * cloud.normals + 15).clip(0, 30))]
    return {
        "name": text(room.name),
        "of": len(room),
        "low": _rounded(low),
        "size": _rounded(size),
        "sides": _rounded(sides, 4),
        "points": _base64(np.column_stack([places, *packed]).astype("<u2")),
    }


def _packed(bit: Shaped[np.ndarray, " m"], values: Shaped[np.ndarray, "m 3"]) -> UInt16[np.ndarray, " m"]:
    """A bit and three numbers of five bits each."""
    first, second, third = values.astype(np.uint16).T
    return bit.astype(np.uint16) << 15 | first << 10 | second << 5 | third


def encode_asked(asked: Asked, scan: int) -> dict[str, Any]:
    """One question about the scan in row ``scan`` of the page; what is not known is left out."""
    known = {
        "box": None if asked.box is None else _rounded(asked.box),
        "truth": None if asked.truth is None else _rounded(asked.truth),
        "arrow": None if asked.pose is None else _rounded(shapes.arrow(asked.pose).reshape(-1)),
        "iou": None if asked.iou is None else round(float(asked.iou), 3),
        "right": asked.right,
        "tokens": None if asked.activation is None else _tokens(asked.activation),
        "situation": text(asked.situation) or None,
    }
    return {
        "scan": scan,
        "id": text(asked.id),
        "kind": text(asked.type),
        "question": text(asked.question),
        "said": [[text(answer), round(float(probability), 4)] for answer, probability in asked.said],
        "references": [text(answer) for answer in asked.references],
        **{name: value for name, value in known.items() if value is not None},
    }


def _tokens(activation: Activation) -> list[list[float]]:
    """x, y, z [m], and activation before and after of every proposal that is an object."""
    values = np.column_stack([activation.centers, activation.before, activation.after])[activation.objects]
    return [_rounded(row, 2) for row in values]


def _rounded(values: Any, digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in np.asarray(values)]


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
