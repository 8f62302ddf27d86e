"""Our batched metrics against av2's own functions on random inputs; skipped where av2 is not installed."""

import numpy as np
import pytest
import torch

from geo_lm4ve.testing import rounding_bound
from geo_lm4ve.traffic.metrics.forecasting import forecast_metrics
from geo_lm4ve.traffic.metrics.multi_world import world_metrics
from geo_lm4ve.traffic.protocol import Protocol

official = pytest.importorskip(
    "av2.datasets.motion_forecasting.eval.metrics", reason="needs av2: pip install 'geo_lm4ve[motion]'"
)

EXACT = rounding_bound(torch.float64)


def _random(scenes, seed=0):
    rng = np.random.default_rng(seed)
    positions = rng.normal(0, 2, (scenes, 6, 60, 2)).cumsum(2)
    truth = rng.normal(0, 2, (scenes, 60, 2)).cumsum(1)
    p = rng.dirichlet(np.ones(6), scenes)
    return positions, truth, p


@pytest.mark.parametrize("k", [1, 3, 6])
def test_single_agent(k):
    positions, truth, p = _random(64)
    positions[::3] = truth[::3, None] + positions[::3] * 0.05  # some hits among the misses
    ours = forecast_metrics(*(torch.from_numpy(a) for a in (positions, truth, p)), protocol=Protocol.av2, k=k)
    for row in range(64):
        kept = np.argsort(-p[row], kind="stable")[:k]
        modes, weights = positions[row, kept], p[row, kept]
        ade, fde = official.compute_ade(modes, truth[row]), official.compute_fde(modes, truth[row])
        brier_ade = official.compute_brier_ade(modes, truth[row], weights, normalize=True)
        brier_fde = official.compute_brier_fde(modes, truth[row], weights, normalize=True)
        best = fde.argmin()
        expected = {
            "minADE": ade.min(),
            "minFDE": fde.min(),
            "MR": float(official.compute_is_missed_prediction(modes, truth[row]).min()),
            "minADE@bestFDE": ade[best],
            "brier-minADE": brier_ade[ade.argmin()],
            "brier-minFDE": brier_fde[best],
        }
        assert {name: ours[name][row].item() for name in expected} == pytest.approx(expected, rel=EXACT, abs=EXACT)
    assert 0 < ours["MR"].mean() < 1


@pytest.mark.parametrize("k", [1, 6])
def test_worlds(k):
    positions, truth, _ = _random(40)
    positions *= 0.2
    p = np.random.default_rng(1).dirichlet(np.ones(6), 12)
    scene = np.concatenate([np.arange(12), np.random.default_rng(2).integers(0, 12, 28)])
    ours = world_metrics(*(torch.from_numpy(a) for a in (positions, truth, scene, p)), k=k)
    for row in range(12):
        kept = np.argsort(-p[row], kind="stable")[:k]
        modes, actual, weights = positions[scene == row][:, kept], truth[scene == row], p[row, kept]
        fde = official.compute_world_fde(modes, actual)
        best = fde.argmin()
        expected = {
            "avgMinADE": official.compute_world_ade(modes, actual)[best],
            "avgMinFDE": fde[best],
            "actorMR": official.compute_world_misses(modes, actual)[:, best].mean(),
            "avgBrierMinFDE": official.compute_world_brier_fde(modes, actual, weights, normalize=True)[best],
            "actorCR": official.compute_world_collisions(modes)[:, best].mean(),
        }
        assert {name: ours[name][row].item() for name in expected} == pytest.approx(expected, rel=EXACT, abs=EXACT)
    assert ours["actorCR"].mean() > 0
