import pytest
import torch

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.random import generator
from geo_lm4ve.experiment import SEEDS, ExperimentConfig

STEPS = 10**9


@pytest.mark.parametrize("seed", [-1, SEEDS, 2**70])
def test_seeds_that_no_generator_takes_are_refused(seed):
    with pytest.raises(ConfigError, match=rf"seed={seed} must be a whole number from 0 to 4294967295"):
        ExperimentConfig(seed=seed)


def test_the_highest_seed_is_taken_everywhere():
    generator(ExperimentConfig(seed=SEEDS - 1).seed, 0, 1, 2)
    torch.Generator().manual_seed(((SEEDS - 1) * 1_000_003 + STEPS) * 4_099 + 1_000)  # as of a training step
