import random

import jaxtyping
import numpy as np
import pytest
import torch

from geo_lm4ve.data.random import (
    GlobalGenerators,
    generator,
    global_generators_kept,
    numpy_generator,
    seed_global_generators,
)


def test_generators_depend_on_every_key():
    draws = {float(torch.rand(1, generator=generator(*keys))) for keys in [(0, 1), (1, 0), (0, 0), (0,), (0, 1, 2)]}
    assert len(draws) == 5
    assert torch.rand(1, generator=generator(3, 4)) == torch.rand(1, generator=generator(3, 4))


def test_generators_of_numpy_depend_on_every_key():
    draws = {numpy_generator(*keys).random() for keys in [(0, 1), (1, 0), (0, 0), (0,), (0, 1, 2)]}
    assert len(draws) == 5
    assert numpy_generator(3, 4).random() == numpy_generator(3, 4).random()


def drawn_from_globals():
    return float(torch.rand(1)), float(np.random.rand()), random.random()


@pytest.fixture(autouse=True)
def _unchecked():
    """Without the test suite's shape checker, which draws from ``random`` itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_global_generators_are_seeded_by_every_key_and_put_back():
    before = GlobalGenerators.now()
    draws = []
    for keys in [(0, 1), (1, 0), (0,), (0, 1)]:
        with global_generators_kept():
            seed_global_generators(*keys)
            draws.append(drawn_from_globals())
        assert before.drawn() == []
    assert draws[0] == draws[3]
    assert all(len(set(values)) == 3 for values in zip(*draws, strict=True))


def test_they_are_put_back_after_an_error():
    before = GlobalGenerators.now()
    with pytest.raises(KeyError), global_generators_kept():
        drawn_from_globals()
        raise KeyError
    assert before.drawn() == []


@pytest.mark.parametrize(
    ("draw", "name"),
    [(lambda: torch.randn(1), "torch"), (lambda: np.random.normal(), "numpy.random"), (random.random, "random")],
)
def test_who_drew_is_named(draw, name):
    with global_generators_kept():
        before = GlobalGenerators.now()
        draw()
        assert before.drawn() == [name]
