"""Random numbers that depend on named keys only, so that a resumed run draws what the uninterrupted one would."""

from __future__ import annotations

import numpy as np
import torch


def generator(*keys: int) -> torch.Generator:
    """A CPU generator whose numbers depend on all the keys (>= 0), e.g. (seed, epoch, batch)."""
    # With their number: SeedSequence takes (1,) and (1, 0) for the same.
    state = np.random.SeedSequence((len(keys), *keys)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state))
