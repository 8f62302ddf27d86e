"""Random numbers that depend on named keys only, so that a resumed run draws what the uninterrupted one would."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


def generator(*keys: int) -> torch.Generator:
    """A CPU generator whose numbers depend on all the keys (>= 0), e.g. (seed, epoch, batch)."""
    return torch.Generator().manual_seed(_state(keys))


def numpy_generator(*keys: int) -> np.random.Generator:
    """NumPy's counterpart, which solids and pictures are drawn from."""
    return np.random.default_rng((len(keys), *keys))  # with their number, as in _state


def _state(keys: tuple[int, ...]) -> int:
    # With their number: SeedSequence takes (1,) and (1, 0) for the same.
    return int(np.random.SeedSequence((len(keys), *keys)).generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class GlobalGenerators:
    """The state of the generators that a process has one of each: ``torch``'s (CPU), ``numpy.random``'s, ``random``'s.

    All threads share them: what one of them seeds, the others draw from.
    """

    torch: Tensor
    numpy: Any
    random: Any

    @classmethod
    def now(cls) -> GlobalGenerators:
        """As they are."""
        return cls(torch.get_rng_state(), np.random.get_state(), random.getstate())

    def restore(self) -> None:
        """Put them back to this state."""
        torch.set_rng_state(self.torch)
        np.random.set_state(self.numpy)
        random.setstate(self.random)

    def drawn(self) -> list[str]:
        """Names of those that are in another state by now: somebody drew from them."""
        now = GlobalGenerators.now()
        same = {
            "torch": torch.equal(self.torch, now.torch),
            "numpy.random": all(np.array_equal(one, other) for one, other in zip(self.numpy, now.numpy)),
            "random": self.random == now.random,
        }
        return [name for name, agrees in same.items() if not agrees]


@contextmanager
def global_generators_kept() -> Iterator[None]:
    """Whatever is drawn inside, the global generators are as they were afterwards; for one thread at a time."""
    before = GlobalGenerators.now()
    try:
        yield
    finally:
        before.restore()


def seed_global_generators(*keys: int) -> None:
    """Have what the global generators give depend on all the keys (>= 0) alone."""
    state = _state(keys)
    torch.default_generator.manual_seed(state)  # torch.manual_seed would seed the devices' as well
    np.random.seed(state % (1 << 32))
    random.seed(state)
