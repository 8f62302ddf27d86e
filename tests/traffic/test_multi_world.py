import pytest
import torch

from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.traffic.metrics.multi_world import WORLD_NAMES, collisions, world_metrics
from geo_lm4ve.traffic.metrics.probabilities import ForecastError

# Two scenes, two worlds, three steps. Scene 0: two actors 5 m apart; scene 1: one actor.
TRUTH = torch.tensor([[[0.0, 0.0]] * 3, [[5.0, 0.0]] * 3, [[0.0, 0.0]] * 3])
SCENE = torch.tensor([0, 0, 1])
P = torch.tensor([[0.4, 0.6], [0.9, 0.1]])


def _worlds(*shifts):
    """(A, 2, 3, 2): each actor's truth moved along y by its shift in each world."""
    moved = TRUTH[:, None].expand(-1, 2, -1, -1).clone()
    moved[..., 1] += torch.tensor(shifts)[:, :, None]
    return moved


def test_the_best_world_has_the_smallest_mean_final_error():
    values = world_metrics(_worlds((3.0, 1.0), (0.0, 1.0), (1.0, 4.0)), TRUTH, SCENE, P, k=6)
    assert tuple(values) == WORLD_NAMES
    expected = {
        "avgMinADE": [1.0, 1.0],
        "avgMinFDE": [1.0, 1.0],
        "actorMR": [0.0, 0.0],
        "avgBrierMinFDE": [1.0 + 0.4**2, 1.0 + 0.1**2],
        "actorCR": [0.0, 0.0],
    }
    for name, value in expected.items():
        torch.testing.assert_close(values[name], torch.tensor(value))


def test_one_guess_takes_the_likely_world_and_its_probability_becomes_one():
    values = world_metrics(_worlds((0.0, 3.0), (0.0, 1.0), (1.0, 0.0)), TRUTH, SCENE, P, k=1)
    torch.testing.assert_close(values["avgMinFDE"], torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(values["avgBrierMinFDE"], values["avgMinFDE"])
    torch.testing.assert_close(values["actorMR"], torch.tensor([0.5, 0.0]))


def test_actors_collide_only_within_their_scene_and_world():
    positions = _worlds((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))  # actor 2 stands where actor 0 does, in another scene
    assert not collisions(positions, SCENE).any()
    positions[1, 1, 2] = torch.tensor([0.5, 0.0])
    assert collisions(positions, SCENE).tolist() == [[False, True], [False, True], [False, False]]
    shuffled = torch.tensor([2, 1, 0])
    assert torch.equal(collisions(positions[shuffled], SCENE[shuffled]), collisions(positions, SCENE)[shuffled])
    positions[1, 1, 2] = torch.tensor([1.0, 0.0])
    assert not collisions(positions, SCENE).any()


def test_the_order_of_actors_does_not_matter():
    torch.manual_seed(0)
    positions, truth, scene = torch.randn(9, 6, 5, 2), torch.randn(9, 5, 2), torch.tensor([0, 0, 1, 2, 2, 2, 2, 1, 0])
    p = torch.rand(3, 6).softmax(1)
    order = torch.randperm(9)
    first = world_metrics(positions, truth, scene, p, k=6)
    second = world_metrics(positions[order], truth[order], scene[order], p, k=6)
    for name in WORLD_NAMES:
        assert_equal_up_to_rounding(second[name], first[name])


def test_refusals():
    with pytest.raises(ForecastError, match="at least one scored actor"):
        world_metrics(_worlds((0, 0), (0, 0), (0, 0)), TRUTH, torch.zeros(3, dtype=torch.int64), P, k=6)
    with pytest.raises(ForecastError, match="softmax"):
        world_metrics(_worlds((0, 0), (0, 0), (0, 0)), TRUTH, SCENE, P * 4, k=6)
    with pytest.raises(ForecastError, match="NaN"):
        world_metrics(_worlds((0, 0), (0, float("nan")), (0, 0)), TRUTH, SCENE, P, k=6)
