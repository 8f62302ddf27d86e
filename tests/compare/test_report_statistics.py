import math

import numpy as np
import pytest
from scipy import stats

from geo_lm4ve.compare.statistics import Cell, difference


def cell(*values, start=0):
    return Cell(dict(enumerate(values, start)))


def test_mean_and_sample_standard_deviation_by_hand():
    three = cell(0.80, 0.82, 0.87)
    assert three.mean == pytest.approx(0.83)
    assert three.std == pytest.approx(math.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2))
    assert cell(0.5).std is None


def test_same_seeds_are_compared_seed_by_seed():
    # Differences 1, 2, 3: mean 2, standard error 1 / sqrt(3), t(2) quantile 4.302653.
    found = difference(cell(11, 22, 33), cell(10, 20, 30))
    assert (found.kind, found.value) == ("paired", pytest.approx(2))
    assert found.error == pytest.approx(1 / math.sqrt(3))
    assert found.high - found.value == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.low + found.high == pytest.approx(2 * found.value)


def test_pairing_goes_by_seed_not_by_order():
    found = difference(Cell({0: 1.0, 1: 5.0}), Cell({1: 4.0, 0: 0.0}))
    assert (found.value, found.error) == (pytest.approx(1), pytest.approx(0))


def test_other_seeds_are_welch():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 1, 5), rng.normal(0, 3, 8)
    found = difference(cell(*first), cell(*second, start=2))
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.kind == "Welch"
    assert found.value / found.error == pytest.approx(expected.statistic)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


@pytest.mark.parametrize(
    ("other", "kind"), [(cell(1.0), "paired"), (cell(1.0, start=5), "Welch"), (cell(1, 2), "Welch")]
)
def test_a_single_seed_has_no_error(other, kind):
    found = difference(cell(3.0), other)
    assert (found.kind, found.error, found.low, found.high) == (kind, None, None, None)


def test_no_spread_is_no_division_by_zero():
    found = difference(cell(2, 2), cell(1, 1, start=7))
    assert (found.value, found.error, found.low, found.high) == (1, 0, 1, 1)


def test_runs_without_a_seed_are_never_paired():
    assert difference(Cell({None: 2.0}), Cell({None: 1.0})).kind == "Welch"
