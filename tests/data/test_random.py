import torch

from geo_lm4ve.data.random import generator


def test_generators_depend_on_every_key():
    draws = {float(torch.rand(1, generator=generator(*keys))) for keys in [(0, 1), (1, 0), (0, 0), (0,), (0, 1, 2)]}
    assert len(draws) == 5
    assert torch.rand(1, generator=generator(3, 4)) == torch.rand(1, generator=generator(3, 4))
