"""Trajectories: modes stay with their scores, targets are found among all agents."""

import torch

from geo_lm4ve.traffic.heads.trajectories import AgentTrajectories, Trajectories, rank


def test_ranked_keeps_each_mode_with_its_probability_and_ties_in_order():
    positions = torch.arange(4.0).reshape(1, 4, 1, 1).expand(2, 4, 3, 2)
    probabilities = torch.tensor([[0.1, 0.4, 0.4, 0.1], [0.1, 0.2, 0.3, 0.4]])
    ranked = Trajectories.ranked(positions, probabilities)
    assert ranked.positions[:, :, 0, 0].tolist() == [[1, 2, 0, 3], [3, 2, 1, 0]]
    torch.testing.assert_close(ranked.probabilities, torch.tensor([[0.4, 0.4, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1]]))
    assert (len(ranked), ranked.modes, ranked.steps) == (2, 4, 3)


def test_targets_are_taken_out_of_all_agents_with_normalised_probabilities():
    logits, rows = torch.tensor([[2.0, 1.0], [0.0, -3.0], [5.0, 5.0]]), torch.tensor([0, 2, 3])
    agents = AgentTrajectories(torch.randn(3, 2, 4, 2), logits, rows, single=torch.randn(3, 4, 2))
    targets = Trajectories.of_targets(agents, torch.tensor([0, 2]))
    assert torch.equal(targets.positions, agents.positions[[0, 2]])
    assert targets.single is not None
    assert torch.equal(targets.single, agents.single[[0, 2]])
    torch.testing.assert_close(targets.probabilities.sum(-1), torch.ones(2))
    assert targets.agents is agents


def test_rank_passes_gradients_to_the_modes_it_moved():
    positions = torch.randn(2, 3, 4, 2, requires_grad=True)
    ranked, _ = rank(positions, torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    ranked[:, 0].sum().backward()
    assert positions.grad[0, 2].eq(1).all()
    assert positions.grad[1, 0].eq(1).all()
    assert positions.grad.sum() == 2 * 4 * 2
