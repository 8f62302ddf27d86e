"""What a resume checkpoint says of the optimiser is held against the optimiser before it is loaded."""

import pytest
import torch

from geo_lm4ve.engine.resume_file import check_optimizer, parameters_of
from geo_lm4ve.reading import Fields


def stepped():
    """AdamW after one step."""
    weight = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    weight.sum().backward()
    optimizer.step()
    return optimizer


def test_a_state_of_the_same_optimiser_passes():
    optimizer = stepped()
    check_optimizer(Fields(optimizer.state_dict()), optimizer, parameters_of(optimizer))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda groups, state: groups[0].update(betas=(0.9, 1.5)), r"param_groups\[0\] says betas=\(0\.9, 1\.5\)"),
        (lambda groups, state: groups[0].update(betas=(-0.1, 0.9)), r"param_groups\[0\] says betas=\(-0\.1, 0\.9\)"),
        (lambda groups, state: groups[0].update(lr=float("inf")), r"param_groups\[0\] says lr=inf"),
        (lambda groups, state: groups.clear(), r"are not the 1 of this optimiser"),
        (lambda groups, state: state[0].update(step=torch.tensor(-1.0)), r"state\[0\]\.step is -1\.0, below 0"),
        (lambda groups, state: state[0].update(step=torch.tensor(float("nan"))), r"state\[0\]\.step is nan, below 0"),
        (lambda groups, state: state[0].update(exp_avg=torch.ones(3, 2)), r"state\[0\]\.exp_avg is .*another model"),
        (lambda groups, state: state.update({7: {}}), r"an entry '7' of no parameter"),
    ],
)
def test_what_would_fail_or_mislead_in_the_next_step_is_refused(spoil, words):
    optimizer = stepped()
    content = optimizer.state_dict()
    spoil(content["param_groups"], content["state"])
    with pytest.raises(ValueError, match=words):
        check_optimizer(Fields(content, "optimizer."), optimizer, parameters_of(optimizer))
