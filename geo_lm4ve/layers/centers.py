"""Where the patches of an image or the tubelets of a clip sit."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def centers(grid: tuple[int, ...], like: Tensor, before: int = 1) -> Float[Tensor, "1 n a"]:
    """The cells' centres along each axis of a grid, the last axis running fastest: 0 where it begins, 1 where it ends.

    Of an image (row, column), of a clip (time, row, column); its upper left corner is 0. The ``before`` tokens that
    stand before the cells are at 0.
    """
    axes = [(torch.arange(count, device=like.device) + 0.5) / count for count in grid]
    found = torch.cartesian_prod(*axes)
    return torch.cat([found.new_zeros(before, len(grid)), found]).to(like.dtype)[None]
