"""Colours of generated things, by the words that questions and answers use."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from numpy.random import Generator

COLORS = {
    "black": (28, 28, 30),
    "white": (238, 238, 236),
    "gray": (130, 130, 132),
    "brown": (112, 66, 28),
    "red": (196, 30, 36),
    "orange": (240, 128, 20),
    "yellow": (238, 214, 40),
    "green": (38, 140, 52),
    "blue": (36, 74, 196),
    "purple": (128, 48, 164),
    "pink": (244, 150, 192),
}
"""Word -> red, green, blue."""

SHELL = {"wall": ((214, 206, 186), (196, 206, 210), (222, 214, 206)), "floor": ((150, 120, 92), (96, 92, 88))}
"""What walls and floor may look like; nobody asks about it."""

NOISE = 7.0
"""Standard deviation of every channel of every vertex."""
LIGHT = 8.0
"""A thing as a whole is lighter or darker by up to so much."""


def painted(color: tuple[int, int, int], count: int, random: Generator) -> Float64[np.ndarray, "n 3"]:
    """Colours of the vertices of one thing, in [0, 255]."""
    base = np.asarray(color) + random.uniform(-LIGHT, LIGHT)
    return np.clip(base + NOISE * random.standard_normal((count, 3)), 0, 255)
