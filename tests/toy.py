"""A minimal encoder and batch for tests of bridge, model and engine."""

from dataclasses import dataclass

import torch
from torch import nn

from geo_lm4ve.parts.encoder import Encoder
from geo_lm4ve.parts.head import Head
from geo_lm4ve.tokens import TokenSet


@dataclass
class ToyBatch:
    """Scalars as tokens."""

    values: torch.Tensor
    valid: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.values)

    def to(self, device):
        return ToyBatch(self.values.to(device), self.valid.to(device), self.labels.to(device))


def toy_batch(size=4, tokens=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(size, tokens, 2, generator=generator)
    valid = torch.ones(size, tokens, dtype=torch.bool)
    valid[0, 3:] = False
    return ToyBatch(values, valid, torch.randint(3, (size,), generator=generator))


class Embed(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(2, dim)

    def forward(self, batch):
        n = batch.values.shape[1]
        return TokenSet(self.linear(batch.values), batch.valid, {"cls": (0, 1), "groups": (1, n)})


class Widen(nn.Module):
    def __init__(self, dim, out):
        super().__init__()
        self.linear = nn.Linear(dim, out)

    def forward(self, tokens):
        return tokens.replace(features=self.linear(tokens.features).tanh())


class ToyEncoder(Encoder):
    def __init__(self, dim=8, out=12):
        super().__init__()
        self.stages = nn.ModuleDict({"embed": Embed(dim), "widen": Widen(dim, out)})
        self.dims = {"embed": dim, "widen": out}


class ToyHead(Head):
    reads = ("cls", "groups")
    norm_first = False

    def __init__(self, dim=12, classes=3):
        super().__init__()
        self.linear = nn.Linear(dim, classes)

    def forward(self, tokens):
        return self.linear(tokens.pool("mean"))
