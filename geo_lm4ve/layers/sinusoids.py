"""Fixed position embeddings of sines and cosines (arXiv 1706.03762)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def sinusoids(tokens: int, dim: int) -> Float[Tensor, "n d"]:
    """Sines in even channels j, cosines in odd ones, of the token's number / 10000^(2 floor(j / 2) / D).

    They are computed in float64 and rounded to float32, as VideoMAE's code does: a model in float64 sees the same.
    """
    channel = torch.arange(dim, dtype=torch.float64)
    waves = 10000 ** (2 * (channel // 2) / dim)
    angles = torch.arange(tokens, dtype=torch.float64)[:, None] / waves
    return torch.where(channel % 2 == 0, angles.sin(), angles.cos()).float()
