"""Weights stored in one dtype and used in another: same numbers, nothing kept that need not be."""

import pytest
import torch
from torch import Tensor, nn

from geo_lm4ve.blocks import precision
from geo_lm4ve.blocks.precision import StoredLayerNorm, StoredLinear, compute_dtype, residual_stream, stored_linear
from geo_lm4ve.testing import assert_equal_up_to_rounding


def kept_for_backward(compute: object) -> list[Tensor]:
    """Tensors that autograd saves while ``compute`` runs."""
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        compute()
    return kept


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_equals_a_linear_layer_with_the_converted_weight(transposed: bool, bias: bool) -> None:
    weight = torch.randn(6, 6).bfloat16()
    b = torch.randn(6) if bias else None
    x = torch.randn(2, 3, 6, requires_grad=True)
    y = stored_linear(x, weight, b, transposed)
    true = nn.functional.linear(x, weight.float().T if transposed else weight.float(), b)
    assert_equal_up_to_rounding(y, true)
    assert_equal_up_to_rounding(*(torch.autograd.grad(out.square().sum(), x)[0] for out in (y, true)))


def test_gradients_of_every_order_are_right() -> None:
    weight = torch.randn(5, 4).bfloat16()
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)

    def f(x: Tensor) -> Tensor:
        return stored_linear(x, weight, None).tanh()

    assert torch.autograd.gradcheck(f, x)
    assert torch.autograd.gradgradcheck(f, x)


def test_per_sample_gradients_work() -> None:
    weight = torch.randn(5, 4).bfloat16()
    x = torch.randn(3, 4)
    grads = torch.func.vmap(torch.func.grad(lambda row: stored_linear(row, weight, None).square().sum()))(x)
    assert_equal_up_to_rounding(grads, 2 * (x @ weight.float().T) @ weight.float())


def test_no_converted_weight_is_kept() -> None:
    weight = torch.randn(64, 64).bfloat16()
    x = torch.randn(2, 64, requires_grad=True)
    kept = kept_for_backward(lambda: stored_linear(x, weight, None))
    assert [(t.dtype, t.data_ptr()) for t in kept] == [(torch.bfloat16, weight.data_ptr())]


def test_buffer_for_conversion_is_reused_and_survives_inference_mode() -> None:
    weight, x = torch.randn(8, 8).bfloat16(), torch.randn(2, 8)
    precision.scratch.buffer = torch.empty(0, dtype=torch.uint8)
    with torch.inference_mode():
        stored_linear(x, weight, None)
    assert precision.scratch.buffer.numel() == 8 * 8 * 4
    first = precision.scratch.buffer.data_ptr()
    y = stored_linear(x, weight, None)
    assert precision.scratch.buffer.data_ptr() == first
    assert_equal_up_to_rounding(y, x @ weight.float().T)


def test_trained_weights_get_their_gradient() -> None:
    layer = StoredLinear(4, 5)
    layer(torch.randn(3, 4).double()).sum().backward()
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None


def test_bias_may_be_trained_beside_a_frozen_weight() -> None:
    bias = torch.zeros(5, requires_grad=True)
    stored_linear(torch.randn(3, 4), torch.randn(5, 4).bfloat16(), bias).sum().backward()
    assert bias.grad.tolist() == [3.0] * 5


def test_layer_norm_takes_any_dtype() -> None:
    norm = StoredLayerNorm(8)
    nn.init.normal_(norm.weight)
    x = torch.randn(3, 8)
    assert_equal_up_to_rounding(norm(x.double()), norm(x))


@pytest.mark.parametrize("units", [False, True])
def test_low_precision_is_used_where_the_cpu_has_units(units: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_multiplies", lambda dtype: units)
    x = torch.randn(1, 2, 3)
    expected = torch.bfloat16 if units else torch.float32
    assert compute_dtype(x) == torch.float32
    assert compute_dtype(x.double()) == torch.float64
    assert compute_dtype(x.bfloat16()) == expected
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert compute_dtype(x) == expected
        assert compute_dtype(x.double()) == torch.float64
        with residual_stream(x.bfloat16()) as h:
            assert h.dtype == torch.float32, "the stream must not overflow under autocast"
            assert torch.is_autocast_enabled("cpu") == units
            assert (h @ h.mT).dtype == expected


def test_units_of_this_cpu_are_known() -> None:
    """The names asked for are names that PyTorch reports on this kind of machine."""
    known = torch.cpu.get_capabilities()
    assert any(unit in known for unit in precision.UNITS[torch.bfloat16])
