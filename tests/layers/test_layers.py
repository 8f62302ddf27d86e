"""Shared encoder parts: drop path, attention, and the mini-PointNet against its published form."""

import pytest
import torch
from torch import nn

from geo_lm4ve.layers.transformer import Attention, DropPath, TransformerBlock
from geo_lm4ve.points.encoders.mini_pointnet import MiniPointNet
from geo_lm4ve.testing import assert_equal_up_to_rounding, assert_padding_invariant, random_tokens


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    x = torch.ones(20_000, 3, 2)
    dropped = DropPath(0.3).train()(x)
    per_sample = dropped[:, 0, 0]
    assert torch.equal(dropped, per_sample[:, None, None].expand_as(x))
    assert per_sample.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert per_sample.mean().item() == pytest.approx(1, abs=0.02)
    assert (per_sample == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)


def test_drop_path_is_absent_in_eval_mode():
    x = torch.randn(4, 3, 2)
    assert DropPath(0.5).eval()(x) is x


def test_attention_is_softmax_over_the_valid_tokens():
    torch.manual_seed(0)
    attention = Attention(12, heads=3).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    valid = torch.tensor([[True] * 5, [True, True, False, True, False]])
    q, k, v = (part.unflatten(-1, (3, 4)).transpose(1, 2) for part in attention.qkv(x).chunk(3, dim=-1))
    scores = (q @ k.mT / 2).masked_fill(~valid[:, None, None], -torch.inf)
    expected = attention.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
    assert_equal_up_to_rounding(attention(x, valid), expected)


def test_block_ignores_padding():
    torch.manual_seed(0)
    block = TransformerBlock(12, heads=3, drop_path=0.5).double().eval()
    assert_padding_invariant(block, random_tokens(2, dim=12, dtype=torch.float64))


class PublishedMiniPointNet(nn.Module):
    """The form in the literature: 1x1 convolutions, the group feature repeated for every point."""

    def __init__(self, ours: MiniPointNet):
        super().__init__()
        self.ours = ours

    def forward(self, groups):
        points = self.ours
        local = points.local(self.norm(points.lift_norm, points.lift(groups)).relu())
        group = local.max(dim=2, keepdim=True).values.expand_as(local)
        joint = self.norm(points.joint_norm, points.joint(torch.cat([group, local], dim=-1))).relu()
        return points.out(joint).max(dim=2).values

    @staticmethod
    def norm(norm, x):
        return norm(x.flatten(0, 2).T[None]).squeeze(0).T.view_as(x)


@pytest.mark.parametrize("training", [True, False])
def test_split_mini_pointnet_equals_the_published_form(training):
    torch.manual_seed(0)
    ours = MiniPointNet(20, width=8).double()
    with torch.no_grad():
        for norm in (ours.lift_norm, ours.joint_norm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
            norm.weight.normal_()
            norm.bias.normal_()
    published = PublishedMiniPointNet(MiniPointNet(20, width=8).double())
    published.ours.load_state_dict(ours.state_dict())
    groups = torch.randn(2, 5, 7, 3, dtype=torch.float64)
    results = []
    for net in (ours, published):
        out = net.train(training)(groups)
        out.square().sum().backward()
        results.append(out)
    assert_equal_up_to_rounding(*results)
    largest = max(float(parameter.grad.abs().max()) for parameter in published.ours.parameters())
    for mine, theirs in zip(ours.parameters(), published.ours.parameters()):
        assert_equal_up_to_rounding(mine.grad, theirs.grad, scale=largest)  # those before a batch norm cancel
    for mine, theirs in zip(ours.buffers(), published.ours.buffers()):
        assert_equal_up_to_rounding(mine, theirs)


def test_mini_pointnet_ignores_the_order_of_points():
    net = MiniPointNet(8).eval()
    groups = torch.randn(2, 3, 6, 3)
    with torch.no_grad():
        assert_equal_up_to_rounding(net(groups[:, :, torch.randperm(6)]), net(groups))


def test_frozen_batch_norm_inside_a_training_network_is_folded_too():
    net = MiniPointNet(8).train()
    groups = torch.randn(2, 3, 6, 3)
    net.lift_norm.eval()
    net.joint_norm.eval()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    with torch.no_grad():
        assert_equal_up_to_rounding(net(groups), net.eval()(groups))
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
