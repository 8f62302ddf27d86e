"""Pictures of triangle meshes on a CPU: one camera, one distant light, edges smoothed by four samples a pixel."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from geo_lm4ve.geometry.mesh_normals import corner_normals
from geo_lm4ve.geometry.raster import Fragments, rasterise
from geo_lm4ve.geometry.solids.mesh import Mesh

SAMPLES = 2
"""Samples per pixel in each direction."""
CREASE = 40.0
"""Degrees between two faces from which on their edge is seen; less is taken for a round surface."""


@dataclass(frozen=True)
class Camera:
    """An eye that looks along y, with x to the right and z up: solids stand upright before it.

    Attributes:
        height, width: of the picture, in pixels.
        view: length in the plane y = 0 that the shorter side of the picture shows; the origin is in its middle.
        distance: of the eye from that plane; infinity: a parallel projection.
    """

    height: int = 64
    width: int = 64
    view: float = 2.0
    distance: float = math.inf

    def project(self, vertices: Float[np.ndarray, "v 3"], samples: int = 1) -> Float[np.ndarray, "v 3"]:
        """Column, row (in samples) and nearness, larger for what is nearer; NaN behind the eye."""
        x, y, z = vertices.T
        if math.isinf(self.distance):
            shrink, near = np.ones(len(y)), -y
        else:
            away = np.where(self.distance + y > 0, self.distance + y, np.nan)
            shrink, near = self.distance / away, 1 / away
        scale = samples * min(self.height, self.width) / self.view * shrink
        return np.stack([samples * self.width / 2 + scale * x, samples * self.height / 2 - scale * z, near], 1)

    def along(self, nearness: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The y that belongs to a nearness."""
        return -nearness if math.isinf(self.distance) else 1 / nearness - self.distance

    def to_eye(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Directions, of any length, from points to the eye."""
        toward = np.array([0.0, -1.0, 0.0])
        return np.broadcast_to(toward, points.shape) if math.isinf(self.distance) else self.distance * toward - points


@dataclass(frozen=True)
class Light:
    """A distant light and what comes from everywhere else.

    Attributes:
        towards: direction to the light, of any length.
        ambient: share of a colour that is seen where the light does not reach; the rest goes with the cosine.
    """

    towards: tuple[float, float, float] = (-1.0, -2.0, 2.0)
    ambient: float = 0.35


@dataclass(frozen=True)
class Rendering:
    """A picture of a mesh.

    Attributes:
        rgb: red, green, blue.
        coverage: share of each pixel's samples that show the mesh.
        depth: y of what is seen, the least among the samples of a pixel; infinity where nothing is.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    coverage: Float32[np.ndarray, "h w"]
    depth: Float32[np.ndarray, "h w"]

    @property
    def mask(self) -> Bool[np.ndarray, "h w"]:
        """Pixels in which anything of the mesh is seen."""
        return self.coverage > 0


def render(
    mesh: Mesh,
    colours: Float[np.ndarray, "#f 3"],
    camera: Camera,
    light: Light,
    background: Float[np.ndarray, "#h #w 3"],
    crease: float = CREASE,
) -> Rendering:
    """A mesh before a background. Both sides of a face are seen; faces that reach behind the eye are left out.

    Args:
        mesh: where the camera looks for it.
        colours: of its faces, or one for all, as fractions.
        camera: takes the picture.
        light: falls on the mesh; nothing casts a shadow.
        background: colours of the pixels behind, or one for all, as fractions.
        crease: degrees between faces that are shaded as one round surface; 0: every face is flat.
    """
    projected = camera.project(mesh.vertices, SAMPLES)
    height, width = SAMPLES * camera.height, SAMPLES * camera.width
    seen = rasterise(projected[mesh.faces], height, width)
    near = _mixed(projected[mesh.faces, 2], seen)
    shade = _shade(mesh, seen, camera, light, crease)
    paint = np.broadcast_to(colours, (len(mesh.faces), 3))[seen.face] * shade[:, None]
    picture = np.zeros((height * width, 4), np.float32)
    picture[seen.sample, :3], picture[seen.sample, 3] = paint, 1
    depth = np.full(height * width, np.inf, np.float32)
    depth[seen.sample] = camera.along(near)
    mixed = pixels(picture.reshape(height, width, 4))
    over = mixed[..., :3] + (1 - mixed[..., 3:]) * background
    return Rendering(
        as_bytes(over), mixed[..., 3], functools.reduce(np.minimum, _samples(depth.reshape(height, width)))
    )


def pixels(samples: Float[np.ndarray, "hs ws c"]) -> Float[np.ndarray, "h w c"]:
    """Means of the samples of each pixel."""
    return functools.reduce(np.add, _samples(samples)) / SAMPLES**2


def _samples(picture: np.ndarray) -> list[np.ndarray]:
    """The first sample of every pixel, the second, ..."""
    return [picture[i::SAMPLES, j::SAMPLES] for i in range(SAMPLES) for j in range(SAMPLES)]


def as_bytes(picture: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    """Fractions as 0 to 255; what is beyond is cut off."""
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _shade(mesh: Mesh, seen: Fragments, camera: Camera, light: Light, crease: float) -> np.ndarray:
    """Brightness at each fragment: Lambert's law on the side that the eye sees."""
    corners = mesh.vertices[mesh.faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    turned = np.where(np.einsum("fk,fk->f", flat, camera.to_eye(corners[:, 0])) < 0, -1.0, 1.0)
    towards = np.asarray(light.towards, float) / np.linalg.norm(light.towards)
    cosine = _mixed(turned[:, None] * (corner_normals(mesh, crease) @ towards), seen)
    return light.ambient + (1 - light.ambient) * np.clip(cosine, 0, 1)


def _mixed(of_corners: np.ndarray, seen: Fragments) -> np.ndarray:
    """At each fragment the mean (n,) of what its triangle's corners have, (f, 3)."""
    return np.einsum("nc,nc->n", of_corners[seen.face], seen.weights)
