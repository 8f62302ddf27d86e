"""A modality in a package of its own: signals whose pitch is to be told, with data set and encoder."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from geo_lm4ve.config import register
from geo_lm4ve.data.loaders import make_loader
from geo_lm4ve.data.random import generator
from geo_lm4ve.parts.data import DataConfig, DataError, DataInfo, DataSource
from geo_lm4ve.parts.encoder import Encoder, EncoderConfig
from geo_lm4ve.tokens import TokenSet

STEPS, PATCH = 64, 8


@dataclass(frozen=True)
class Signals:
    """A batch: values (B, STEPS), labels (B,), index (B,)."""

    values: torch.Tensor
    labels: torch.Tensor
    index: torch.Tensor

    def __len__(self):
        return len(self.values)

    def to(self, device):
        return replace(self, **{name: value.to(device) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Split:
    """The signals of one split as Samples."""

    signals: Signals
    noun = "signals"

    def __len__(self):
        return len(self.signals)

    def order(self, seed, epoch):
        return torch.randperm(len(self), generator=generator(seed, epoch))

    def batch(self, rows):
        return Signals(self.signals.values[rows], self.signals.labels[rows], rows)

    def train_batch(self, rows, draw):
        return self.batch(rows)

    def augmented(self, seed, view):
        raise DataError("tones have no augmented views")


@register("data", "tones")
@dataclass
class TonesConfig(DataConfig):
    """Generated sines of two pitches in noise."""

    name: str = "tones"
    train: int = 64
    noise: float = 0.1

    def build(self):
        return Tones(self)


class Tones(DataSource):
    def __init__(self, config):
        self.config, self.splits = config, {}
        for number, (split, count) in enumerate({"train": config.train, "val": 20, "test": 20}.items()):
            random = generator(number)
            labels = torch.arange(count) % 2
            phase = 6.3 * torch.rand(count, 1, generator=random)
            values = torch.sin(phase + (0.3 + 0.5 * labels[:, None]) * torch.arange(STEPS))
            values = values + config.noise * torch.randn(count, STEPS, generator=random)
            self.splits[split] = Split(Signals(values, labels, torch.arange(count)))
        counts = {split: len(signals) for split, signals in self.splits.items()}
        self.info = DataInfo("tones (generated)", ("low", "high"), counts, synthetic=True)

    def loader(self, split, *, train, **place):
        return make_loader(self.splits[split], train=train, workers=self.config.workers, **place)


@register("encoder", "tone_patches")
@dataclass
class TonePatchesConfig(EncoderConfig):
    """Pieces of the signal as tokens."""

    name: str = "tone_patches"
    dim: int = 24

    def build(self):
        return TonePatches(self.dim)

    def sample_batch(self, size=2, seed=0):
        values = torch.randn(size, STEPS, generator=generator(seed))
        return Signals(values, torch.arange(size) % 2, torch.arange(size))


class Patches(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.linear = nn.Linear(PATCH, dim)

    def forward(self, batch):
        features = self.linear(batch.values.unflatten(1, (-1, PATCH)))
        return TokenSet.full(features, {"patches": (0, features.shape[1])})


class TonePatches(Encoder):
    def __init__(self, dim):
        super().__init__()
        self.stages, self.dims = nn.ModuleDict({"patches": Patches(dim)}), {"patches": dim}
