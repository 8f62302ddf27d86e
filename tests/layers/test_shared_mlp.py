import pytest
import torch
from torch import nn

from geo_lm4ve.layers.shared_mlp import SharedMlp
from geo_lm4ve.testing import assert_equal_up_to_rounding

WIDTHS = (6, 9)


def convolutions(in_dim, widths):
    """The published form: convolutions of kernel size 1 without bias over (b, channels, groups, neighbours)."""
    layers = []
    for before, after in zip((in_dim, *widths), widths):
        layers += [nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)


def randomised(net):
    """With statistics and affine maps of batch norms that are not trivial."""
    torch.manual_seed(0)
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if "running_var" in name else tensor.normal_()
    return net


@pytest.mark.parametrize("training", [True, False])
def test_official_tensors_map_one_by_one_and_in_order(training):
    official = randomised(convolutions(4, WIDTHS)).double().train(training)
    ours = SharedMlp(4, WIDTHS).double().train(training)
    tensors = zip(ours.state_dict().items(), official.state_dict().values(), strict=True)
    ours.load_state_dict({name: other.reshape(mine.shape) for (name, mine), other in tensors})
    x = torch.randn(2, 5, 7, 4, dtype=torch.float64)
    assert_equal_up_to_rounding(ours(x), official(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
    for mine, theirs in zip(ours.buffers(), official.buffers(), strict=True):
        assert_equal_up_to_rounding(mine, theirs)


def test_eval_mode_passes_gradients_to_every_parameter_and_keeps_the_statistics():
    mlp = randomised(SharedMlp(4, WIDTHS)).eval()
    before = [buffer.clone() for buffer in mlp.buffers()]
    mlp(torch.randn(3, 4)).sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in mlp.parameters())
    assert all(torch.equal(a, b) for a, b in zip(mlp.buffers(), before))


def test_needs_channels_and_layers():
    for arguments in ((0, WIDTHS), (3, ())):
        with pytest.raises(ValueError, match="a shared MLP needs input channels and a layer, got in_dim="):
            SharedMlp(*arguments)
