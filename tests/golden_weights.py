"""Weights that need no download, for which official codes gave the golden numbers: all by an integer hash.

Everything is computed in float64 and rounded to float32 once; a float64 run takes the rounded values.
"""

import math

import torch

SCALES = {
    "voting_net.conv3.weight": 0.05,  # votes stay near their seeds
    "proposal_net.vote_aggregation.mlp_module.layer0.conv.weight": 10.0,  # some proposals are objects, some are not
}
TOKENS = ("cls_token", "pos_embed")


def noise(count, place):
    """Values in [-1, 1]."""
    value = (torch.arange(count) * 2654435761 + place * 40503 + 1) & 0xFFFFFFFF
    value = ((value ^ (value >> 15)) * 2246822519) & 0xFFFFFFFF
    return (value ^ (value >> 13)).double() / 2**31 - 1


def filled(key, shape, values):
    name = key.rsplit(".", 1)[-1]
    if name == "running_var":
        return 1 + values**2 / 2
    if name == "running_mean" or "bias" in name or name == "b_2":
        return values / 10
    if name in TOKENS:
        return values / 2
    if key.endswith("llama.norm.weight"):
        return torch.ones_like(values)
    if len(shape) <= 1:
        return 1 + values / 10
    return SCALES.get(key, 1.0) * values * math.sqrt(6 * shape[0] / values.numel())


def fill(state):
    """Fill a state dict in official names; the place of a key among all of them decides its values."""
    for place, key in enumerate(sorted(state)):
        if state[key].is_floating_point():
            values = filled(key, state[key].shape, noise(state[key].numel(), place))
            state[key].copy_(values.reshape(state[key].shape))
    return state
