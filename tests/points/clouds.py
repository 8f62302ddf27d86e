"""Clouds for tests of geometry and data."""

import contextlib
import math
from collections.abc import Iterator

import jaxtyping
import torch
from torch import Tensor


def spiral_cloud(points: int = 1024) -> Tensor:
    """The float32 cloud whose first farthest points are known from the CUDA kernel's semantics (radii in [0.5, 1))."""
    i = torch.arange(points, dtype=torch.float64)
    z = 1 - 2 * (i + 0.5) / points
    angle = i * (math.pi * (3 - math.sqrt(5)))
    radius = 0.5 + 0.5 * torch.frac(i * 0.6180339887498949)
    ring = torch.sqrt(1 - z * z)
    return torch.stack([radius * ring * angle.cos(), radius * ring * angle.sin(), radius * z], dim=1).float()


def random_clouds(batch: int, points: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Normal clouds, without ties."""
    return torch.randn(batch, points, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@contextlib.contextmanager
def shapes_unchecked() -> Iterator[None]:
    """Without the test suite's shape checker, which would speak before the package's own checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def awkward_clouds(batch: int, points: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Clouds in which points are often equally far, or nearly so; with normal ones beside them."""
    generator = torch.Generator().manual_seed(points)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=dtype)

    return {
        "normal": normal(batch, points, 3),
        "grid": torch.randint(-2, 3, (batch, points, 3), generator=generator).to(dtype),
        "twice": normal(batch, points, 3)[:, torch.arange(points) // 2],
        "duplicates": normal(batch, points // 4 + 1, 3).repeat(1, 4, 1)[:, :points],
        "collinear": normal(batch, points, 1) * normal(batch, 1, 3) + normal(batch, 1, 3),
        "all equal": normal(batch, 1, 3).repeat(1, points, 1),
        "far away": normal(batch, points, 3) * 0.01 + 1000,
        "sphere": torch.nn.functional.normalize(normal(batch, points, 3), dim=-1),
        "vanishing squares": normal(batch, points, 3) * 1e-22,
    }
