"""One generated image: a solid of some class in random pose, colour and light before random clutter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int8, UInt8
from numpy.random import Generator

from geo_lm4ve.geometry.clutter import clutter, random_colours
from geo_lm4ve.geometry.render import Camera, Light, as_bytes, render
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.geometry.solids.mesh import Mesh

RADIUS = (0.6, 0.95)
"""Of the sphere round a solid, in halves of the image's side."""
TILT, ROLL = (0.0, 70.0), (-25.0, 25.0)
"""Degrees by which the top of a solid leans to the eye, and to the side; about its own z it is turned by any angle."""
EYE = 5.0
"""Distance of the eye from the middle of the scene, in halves of the image's side."""
GRAIN = 5.0
"""Standard deviation of the noise on every channel of every pixel, in 255ths."""


@dataclass(frozen=True)
class Scene:
    """What one image shows.

    Attributes:
        mesh: the solid, in its pose.
        colour: of it, as fractions.
        light: on it.
        background: clutter, as fractions.
        grain: noise on the whole image, in 255ths.
    """

    mesh: Mesh
    colour: Float32[np.ndarray, "1 3"]
    light: Light
    background: Float32[np.ndarray, "s s 3"]
    grain: Int8[np.ndarray, "s s 3"]

    def picture(self) -> tuple[UInt8[np.ndarray, "s s 3"], Bool[np.ndarray, "s s"]]:
        """The image, and the mask of the pixels in which the solid is seen."""
        size = len(self.background)
        seen = render(self.mesh, self.colour, Camera(size, size, distance=EYE), self.light, self.background)
        return self._grained(seen.rgb), seen.mask

    def empty(self) -> UInt8[np.ndarray, "s s 3"]:
        """The image without the solid."""
        return self._grained(as_bytes(self.background))

    def _grained(self, rgb: np.ndarray) -> np.ndarray:
        return np.clip(rgb.astype(np.int16) + self.grain, 0, 255).astype(np.uint8)


def draw_scene(name: str, size: int, random: Generator) -> Scene:
    """A scene with a solid of a class, for an image of ``size`` x ``size`` pixels."""
    background = clutter(random, size, size)
    grain = np.rint(GRAIN * random.standard_normal(background.shape, np.float32)).astype(np.int8)
    mesh = _placed(SOLIDS[name](random), random)
    return Scene(mesh, random_colours(random, 1), _light(random), background, grain)


def _placed(mesh: Mesh, random: Generator) -> Mesh:
    """In random pose, of random size, somewhere; it may leave the image by a tenth of its half side."""
    radius = random.uniform(*RADIUS)
    turned = mesh.turned("z", random.uniform(0, 360)).turned("x", random.uniform(*TILT))
    turned = turned.turned("y", random.uniform(*ROLL)).fitted(radius)
    free = 1.1 - np.abs(turned.vertices[:, [0, 2]]).max(0)
    x, z = random.uniform(-1, 1, 2) * np.maximum(free, 0)
    return turned.moved(x=x, z=z)


def _light(random: Generator) -> Light:
    """From the side of the eye, mostly from above."""
    side, height = np.deg2rad(random.uniform((-75, -10), (75, 75)))
    towards = (np.sin(side) * np.cos(height), -np.cos(side) * np.cos(height), np.sin(height))
    return Light((float(towards[0]), float(towards[1]), float(towards[2])), random.uniform(0.2, 0.5))
