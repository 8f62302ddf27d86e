import torch

from geo_lm4ve.analysis.activation import frequency, magnitude
from geo_lm4ve.testing import assert_equal_up_to_rounding


def _tokens():
    torch.manual_seed(0)
    features = torch.randn(2, 5, 8)
    valid = torch.tensor([[True] * 5, [True, True, True, False, False]])
    return features, valid


def test_the_token_farthest_from_the_mean_has_one_and_the_nearest_zero():
    features = torch.zeros(1, 4, 3)
    features[0, 2] = 10.0
    features[0, 1] = 1.0
    values = magnitude(features, torch.ones(1, 4, dtype=torch.bool))[0]
    assert values[2] == 1
    assert values.min() == 0
    assert values.argmin() == 1  # the mean is (2.75, 2.75, 2.75)


def test_padding_has_no_value_and_no_influence():
    features, valid = _tokens()
    spoilt = features.clone()
    spoilt[1, 3:] = 100.0
    for kind in (magnitude, frequency):
        plain, other = kind(features, valid), kind(spoilt, valid)
        assert plain[1, 3:].isnan().all()
        assert_equal_up_to_rounding(other[valid], plain[valid])
        assert plain[valid].min() == 0
        assert plain[valid].max() == 1


def test_frequency_looks_at_phases_alone():
    features, valid = _tokens()
    scale = torch.rand(2, 5, 1) + 0.5
    scaled, plain = frequency(features * scale, valid), frequency(features, valid)
    assert_equal_up_to_rounding(scaled[valid], plain[valid], dtype=torch.float32)  # the scaled features are rounded
    assert not torch.allclose(magnitude(features * scale, valid), magnitude(features, valid), equal_nan=True)


def test_equal_tokens_have_zeros():
    same = torch.ones(1, 3, 4)
    assert magnitude(same, torch.ones(1, 3, dtype=torch.bool)).tolist() == [[0, 0, 0]]
