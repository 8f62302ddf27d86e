"""Golden values computed with the official Argoverse 1 code, and the rules that separate the two protocols."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo_lm4ve.testing import assert_equal_up_to_rounding, rounding_bound
from geo_lm4ve.traffic.metrics.accumulator import ForecastMetric
from geo_lm4ve.traffic.metrics.forecasting import flat_name, forecast_metrics, metric_names, nested
from geo_lm4ve.traffic.metrics.probabilities import ForecastError
from geo_lm4ve.traffic.protocol import Protocol

AV1, AV2 = Protocol.av1, Protocol.av2
T = torch.arange(1, 31, dtype=torch.float64)
TRUTH = torch.stack([T, torch.zeros(30)], -1)


def _offset(y):
    return TRUTH + torch.stack([torch.zeros(30), torch.as_tensor(y, dtype=torch.float64).expand(30)], -1)


A = _offset(1.0)
B = _offset(3 * (1 - T / 30))
C = _offset(torch.cat([torch.full((29,), 0.5), torch.tensor([2.0])]))
C_MISSED = _offset(torch.cat([torch.full((29,), 0.5), torch.tensor([2.0000001], dtype=torch.float64)]))
GOOD, BAD = TRUTH + torch.tensor([1.0, 0.0]), TRUTH * 3


def _score(modes, probabilities=None, *, k=6, protocol=AV1, **options):
    p = None if probabilities is None else torch.tensor([probabilities], dtype=torch.float64)
    values = forecast_metrics(torch.stack(modes)[None], TRUTH[None], p, protocol=protocol, k=k, **options)
    return {name: value.item() for name, value in values.items()}


def _agree(values, **expected):
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-6)


ORDER = ("minADE", "minFDE", "MR", "p-minADE", "p-minFDE", "p-MR", "brier-minADE", "brier-minFDE")


@pytest.mark.parametrize(
    ("modes", "probabilities", "k", "expected"),
    [
        ((A, B, C), (0.5, 0.3, 0.2), 6, (1.45, 0, 0, 2.653973, 1.203973, 0.7, 1.94, 0.49)),
        ((A, B, C), (0.5, 0.3, 0.2), 1, (1, 1, 0, 1, 1, 0, 1, 1)),
        ((C,), (1.0,), 6, (0.55, 2, 0, 0.55, 2, 0, 0.55, 2)),
        ((A, B, C), (0.25, 0.25, 0.5), 2, (1, 1, 0, 2.098612, 2.098612, 0.666667, 1.444444, 1.444444)),
        ((A, B), (0.99, 0.01), 6, (1.45, 0, 0, 4.445732, 2.995732, 0.99, 2.4301, 0.9801)),
    ],
    ids=["three modes", "one guess", "exactly two metres is a hit", "renormalised over the kept", "clipped p"],
)
def test_golden_argoverse1(modes, probabilities, k, expected):
    _agree(_score(modes, probabilities, k=k), **dict(zip(ORDER, expected)))


def test_a_hair_over_two_metres_is_a_miss():
    values = _score((C_MISSED,), (1.0,))
    assert values["MR"] == 1
    assert values["p-MR"] == 1
    assert values["minFDE"] == pytest.approx(2, abs=1e-6)


def test_without_probabilities_the_first_modes_count_and_weighted_metrics_are_absent():
    values = _score((A, B, C), None, k=1)
    assert values == pytest.approx({"minADE": 1, "minFDE": 1, "MR": 0})


@pytest.mark.parametrize(
    ("modes", "probabilities", "expected"),
    [
        ((GOOD, BAD), (0.8, 0.2), {"minADE": 1, "MR": 0, "p-minADE": 1.223144, "p-MR": 0.2, "brier-minADE": 1.04}),
        ((GOOD, BAD), (0.6, 0.4), {"p-minADE": 1.510826, "p-MR": 0.4, "brier-minFDE": 1.16}),
        ((GOOD, BAD), (0.5, 0.5), {"p-minFDE": 1.693147, "p-MR": 0.5, "brier-minADE": 1.25}),
    ],
    ids=["likely", "renormalised .3/.2", "uniform"],
)  # fmt: skip
def test_cases_of_the_official_unit_tests(modes, probabilities, expected):
    _agree(_score(modes, probabilities, miss_threshold=1.0), **expected)


def test_minade_separates_the_protocols():
    first = _score((A, B, C), (0.5, 0.3, 0.2), protocol=AV1)
    second = _score((A, B, C), (0.5, 0.3, 0.2), protocol=AV2)
    _agree(first, minADE=1.45)
    _agree(second, **{"minADE": 0.55, "minADE@bestFDE": 1.45, "minFDE": 0, "brier-minFDE": 0.49})
    _agree(second, **{"brier-minADE": 0.55 + 0.8**2})
    assert "minADE@bestFDE" not in first
    assert tuple(second) == metric_names(AV2)


def test_av2_straight_diagonal_and_stationary():
    line = torch.arange(10, dtype=torch.float64)[:, None]
    zero = torch.zeros(10, 1, dtype=torch.float64)
    truth = torch.zeros(1, 10, 2, dtype=torch.float64)
    for forecast, ade, fde in (
        (torch.ones(10, 2, dtype=torch.float64), math.sqrt(2), math.sqrt(2)),
        (torch.cat([line, zero], 1), 4.5, 9.0),
        (torch.cat([line, line], 1), 6.36396103, 9 * math.sqrt(2)),
    ):
        values = forecast_metrics(forecast[None, None], truth, None, protocol=AV2, k=6)
        assert values["minADE"].item() == pytest.approx(ade)
        assert values["minFDE"].item() == pytest.approx(fde)


@pytest.mark.parametrize(("p", "addition"), [((1 / 6,) * 6, (5 / 6) ** 2), ((0.9, 0.02, 0.02, 0.02, 0.02, 0.02), 0.01)])
def test_brier_addition(p, addition):
    values = _score((A, *(BAD,) * 5), p)
    assert values["brier-minFDE"] - values["minFDE"] == pytest.approx(addition)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ((0.5, float("nan"), 0.5), "not finite"),
        ((2.0, -1.0, 0.0), "softmax of raw scores"),
        ((0.5, 0.3, 0.1), "do not sum to 1"),
        ((1.0, 1.0, 2.0), "leave 0..1"),
    ],
)
def test_what_is_no_probability_is_refused(probabilities, message):
    with pytest.raises(ForecastError, match=message):
        _score((A, B, C), probabilities)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_positions_that_are_not_finite_are_refused(protocol):
    spoilt = A.clone()
    spoilt[3, 0] = float("nan")
    with pytest.raises(ForecastError, match="row 0"):
        _score((spoilt,), (1.0,), protocol=protocol)


def test_of_equal_errors_and_equal_probabilities_the_first_mode_counts():
    mirrored = TRUTH * 2 - A
    wide = TRUTH + torch.tensor([0.0, 1.0]) * torch.cat([torch.full((29, 1), 5.0), torch.ones(1, 1)])
    assert _score((mirrored, wide), (0.5, 0.5))["minADE"] == pytest.approx(1)
    assert _score((wide, mirrored), (0.5, 0.5))["minADE"] == pytest.approx((29 * 5 + 1) / 30)
    assert _score((wide, mirrored), (0.4, 0.6))["minADE"] == pytest.approx(1)
    assert _score((mirrored, wide), (0.5, 0.5), k=1)["minADE"] == pytest.approx(1)


@settings(max_examples=50, deadline=None)
@given(
    positions=arrays(np.float64, (4, 6, 5, 2), elements=st.floats(-50, 50)),
    truth=arrays(np.float64, (4, 5, 2), elements=st.floats(-50, 50)),
    weights=arrays(np.float64, (4, 6), elements=st.floats(0.01, 1)),
    angle=st.floats(-3.2, 3.2),
    protocol=st.sampled_from(list(Protocol)),
)
def test_properties(positions, truth, weights, angle, protocol):
    positions, truth, p = (
        torch.from_numpy(array) for array in (positions, truth, weights / weights.sum(1, keepdims=True))
    )
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    six = forecast_metrics(positions, truth, p, protocol=protocol, k=6)
    one = forecast_metrics(positions, truth, p, protocol=protocol, k=1)
    moved = forecast_metrics(positions @ turn + 100, truth @ turn + 100, p, protocol=protocol, k=6)
    for name in ("minFDE", "minADE@bestFDE", "minADE"):
        if name in six and not _nearly_tied(positions, truth):
            assert_equal_up_to_rounding(moved[name], six[name], scale=200.0)  # largest coordinate after the move
    assert (six["minFDE"] <= one["minFDE"]).all()
    assert torch.equal(one["brier-minFDE"], one["minFDE"])
    assert torch.equal(one["p-minADE"], one["minADE"])
    for error in ("minADE", "minFDE"):
        brier, logarithm = six[f"brier-{error}"] - six[error], six[f"p-{error}"] - six[error]
        assert ((brier >= -1e-9) & (brier <= 1)).all()
        assert ((logarithm >= -1e-9) & (logarithm <= 2.99574)).all()
    if protocol is AV2:
        assert (six["minADE"] <= six["minADE@bestFDE"] + 1e-12).all()


def _nearly_tied(positions, truth):
    final = (positions[:, :, -1] - truth[:, None, -1]).norm(dim=-1).sort(1).values
    return bool((final[:, 1] - final[:, 0] < 1e-6).any())


def test_metric_adds_up_over_batches_and_states():
    torch.manual_seed(0)
    positions, truth = torch.randn(7, 6, 30, 2), torch.randn(7, 30, 2)
    p = torch.rand(7, 6).softmax(-1)
    whole, first, second = (ForecastMetric(AV1) for _ in range(3))
    whole.update(positions, truth, p)
    first.update(positions[:3], truth[:3], p[:3])
    second.update(positions[3:], truth[3:], p[3:])
    state = {name: value + second.state()[name] for name, value in first.state().items()}
    expected = forecast_metrics(positions, truth, p, protocol=AV1, k=6)["minFDE"].mean().item()
    bound = rounding_bound(torch.float32)
    assert whole.compute()["minFDE_6"] == pytest.approx(expected, rel=bound)
    assert first.means(state) == pytest.approx(whole.compute(), rel=bound)
    assert list(whole.compute()) == [flat_name(name, k) for k in (1, 6) for name in metric_names(AV1)]


def test_an_empty_metric_has_no_value():
    means = ForecastMetric(AV1).means({"sums": torch.zeros(16), "scenes": torch.tensor(0)})
    assert all(math.isnan(value) for value in means.values())


def test_nested_names():
    assert nested({"minADE_1": 1.0, "minADE_6": 0.5, "minADE@bestFDE_6": 0.6}, (1, 6)) == {
        "K=1": {"minADE": 1.0},
        "K=6": {"minADE": 0.5, "minADE@bestFDE": 0.6},
    }


def test_no_guess_is_refused():
    with pytest.raises(ForecastError, match="at least 1"):
        _score((A,), (1.0,), k=0)
