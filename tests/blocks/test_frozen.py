"""What a frozen block promises, whatever family computes it."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny_models import MODELS, probe, random_weights, tokens
from torch import nn

from geo_lm4ve.blocks.architectures import random_layers
from geo_lm4ve.blocks.base import BlockError, LayerWeights
from geo_lm4ve.blocks.choices import FinalNorm, Implementation, StoredAs, Train
from geo_lm4ve.blocks.frozen import FrozenBlock, PretrainedBlockConfig
from geo_lm4ve.config import make
from geo_lm4ve.testing import assert_equal_up_to_rounding

FAMILIES = pytest.mark.parametrize("family", sorted(MODELS))


@pytest.fixture(scope="module")
def llama() -> LayerWeights:
    return random_weights("llama")


@FAMILIES
def test_without_order_tokens_are_a_set(family: str) -> None:
    block = FrozenBlock(random_weights(family))
    x, valid = tokens(block.dim)
    order = torch.randperm(x.shape[1])
    assert_equal_up_to_rounding(block(x[:, order], valid[:, order]), block(x, valid)[:, order])


@FAMILIES
@pytest.mark.parametrize("causal", [False, True])
def test_padding_changes_nothing(family: str, causal: bool) -> None:
    block = FrozenBlock(random_weights(family), causal=causal, rotary=causal and MODELS[family].rotary)
    x, valid = tokens(block.dim)
    out = block(x.masked_fill(~valid[..., None], torch.nan), valid)
    assert (out[~valid] == 0).all()
    for row, keep, filtered in zip(x, valid, out):
        if keep.any():
            alone = block(row[None, keep], torch.ones(1, int(keep.sum()), dtype=torch.bool))
            assert_equal_up_to_rounding(filtered[keep], alone[0])


@FAMILIES
def test_row_without_tokens_gives_zeros_and_no_gradient(family: str) -> None:
    block = FrozenBlock(random_weights(family))
    x, valid = tokens(block.dim)
    valid[0] = False
    x.requires_grad_()
    out = block(x, valid)
    probe(out).backward()
    assert (out[0] == 0).all()
    assert torch.isfinite(out).all()
    assert (x.grad[0] == 0).all()
    assert torch.isfinite(x.grad).all()


@FAMILIES
def test_rows_do_not_see_each_other(family: str) -> None:
    block = FrozenBlock(random_weights(family))
    x, valid = tokens(block.dim)
    x.requires_grad_()
    (grad,) = torch.autograd.grad(probe(block(x, valid)[1]), x)
    assert (grad[0] == 0).all()
    assert grad[1, 0].abs().max() > 0


@FAMILIES
@pytest.mark.parametrize("implementation", ["auto", "hf"])
def test_only_the_causal_policy_is_causal(family: str, implementation: str) -> None:
    """Transformers' sdpa path turns causal when it gets no mask, its eager path misreads a boolean one."""
    x, _ = tokens(MODELS[family].config["hidden_size"])
    valid = torch.ones(x.shape[:2], dtype=torch.bool)
    x.requires_grad_()
    for causal in (False, True):
        block = FrozenBlock(random_weights(family), implementation=implementation, causal=causal)
        (grad,) = torch.autograd.grad(probe(block(x, valid)[:, 2]), x)
        assert (grad[:, 3].abs().max() > 0) == (not causal)
        assert grad[:, 1].abs().max() > 0


@FAMILIES
def test_gradient_reaches_tokens_and_never_the_weights(family: str) -> None:
    block = FrozenBlock(random_weights(family)).train()
    x, valid = tokens(block.dim)
    x.requires_grad_()
    probe(block(x, valid)).backward()
    assert x.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in block.parameters())
    assert not any(module.training for module in block.modules())


@FAMILIES
def test_bfloat16_storage_costs_little_accuracy(family: str) -> None:
    x, valid = tokens(MODELS[family].config["hidden_size"])
    weights = random_weights(family)
    exact, stored = FrozenBlock(weights), FrozenBlock(weights, dtype="bfloat16")
    a, b = exact(x, valid), stored(x, valid)
    assert b.dtype == torch.float32
    assert (a - b).norm() / a.norm() < 1e-2
    assert {p.dtype for p in stored.layers.parameters() if p.dim() > 1} == {torch.bfloat16}
    assert {p.dtype for p in stored.parameters() if p.dim() == 1} == {torch.float32}


def test_stored_dtype_is_kept(llama: LayerWeights) -> None:
    half = replace(llama, layers=tuple({k: t.half() for k, t in layer.items()} for layer in llama.layers))
    block = FrozenBlock(half)
    assert {p.dtype for p in block.layers.parameters() if p.dim() > 1} == {torch.float16}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_output_has_the_dtype_of_the_input(llama: LayerWeights, dtype: torch.dtype) -> None:
    block = FrozenBlock(llama, dtype="bfloat16")
    x, valid = tokens(block.dim)
    out = block(x.to(dtype), valid)
    assert out.dtype == dtype
    assert_equal_up_to_rounding(out, block(x, valid))


@FAMILIES
def test_autocast_gives_float32_close_to_the_exact_result(family: str) -> None:
    block = FrozenBlock(random_weights(family), dtype="bfloat16")
    x, valid = tokens(block.dim)
    x.requires_grad_()
    exact = block(x, valid)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = block(x.bfloat16(), valid)
    assert out.dtype == torch.float32
    # These weights are large and pass every rounding on enlarged; a gradient goes forward and back.
    assert_equal_up_to_rounding(out, exact, dtype=torch.bfloat16, roundings=8)
    (grad,), (true,) = (torch.autograd.grad(probe(y), x) for y in (out, exact))
    assert_equal_up_to_rounding(grad, true, dtype=torch.bfloat16, roundings=16)


@FAMILIES
def test_checkpoints_hold_nothing_frozen(family: str) -> None:
    model = nn.Sequential(nn.Linear(3, 3), FrozenBlock(random_weights(family)))
    state = model.state_dict()
    assert set(state) == {"0.weight", "0.bias"}
    result = model.load_state_dict(state, strict=True)
    assert not result.missing_keys
    assert not result.unexpected_keys


@FAMILIES
def test_what_is_trained_from_outside_after_all_is_in_its_checkpoint(family: str) -> None:
    weights = random_weights(family)
    block, other = FrozenBlock(weights), FrozenBlock(random_weights(family))
    block.requires_grad_(True)
    assert set(block.state_dict()) == {name for name, _ in block.named_parameters()}
    other.load_state_dict({name: 2 * value.detach() for name, value in block.state_dict().items()})
    assert all(torch.equal(value, 2 * block.get_parameter(name)) for name, value in other.named_parameters())


def shuffled(weight: torch.Tensor) -> torch.Tensor:
    return weight.flatten()[torch.randperm(weight.numel())].view_as(weight)


CHANGES = {
    "a step of training": lambda weight: weight.sub_(1e-3 * weight.sign()),
    "behind autograd's back": lambda weight: weight.data.normal_(),
    "shuffled": lambda weight: weight.copy_(shuffled(weight)),
    "one row": lambda weight: weight[5].zero_(),
    "one column": lambda weight: weight[:, 3].mul_(2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_frozen_weight_that_was_changed_in_place_is_noticed(llama: LayerWeights, change: str) -> None:
    block, name = copy.deepcopy(FrozenBlock(llama)), "layers.0.mlp.up_proj.weight"
    assert not block.changed()
    with torch.no_grad():
        CHANGES[change](block.get_parameter(name))
    assert block.changed().keys() == {name}
    assert copy.deepcopy(block).changed().keys() == {name}
    with pytest.raises(RuntimeError, match=rf'Missing key\(s\) in state_dict: "{name}"'):
        block.load_state_dict({})
    block.load_state_dict({name: FrozenBlock(llama).get_parameter(name)})
    assert not block.changed()


def test_another_dtype_is_no_change(llama: LayerWeights) -> None:
    assert not FrozenBlock(llama, dtype="bfloat16").changed()
    assert not FrozenBlock(llama).bfloat16().changed()


def test_fully_trained_block_is_in_its_checkpoint(llama: LayerWeights) -> None:
    before = {key: tensor.clone() for key, tensor in llama.layers[0].items()}
    block, other = FrozenBlock(llama, train="full"), FrozenBlock(llama, train="full")
    assert set(block.state_dict()) == {name for name, _ in block.named_parameters()}
    assert all(p.requires_grad and p.dtype == torch.float32 for p in block.parameters())
    x, valid = tokens(block.dim)
    probe(block(x, valid)).backward()
    torch.optim.SGD(block.parameters(), lr=0.1).step()
    assert not torch.equal(block(x, valid), other(x, valid))
    other.load_state_dict(block.state_dict())
    assert torch.equal(block(x, valid), other(x, valid))
    assert all(torch.equal(before[key], llama.layers[0][key]) for key in before), "the source's tensors were trained"


def test_training_in_low_precision_is_refused(llama: LayerWeights) -> None:
    with pytest.raises(BlockError, match="train: full needs weights in float32, got dtype: bfloat16"):
        FrozenBlock(llama, train="full", dtype="bfloat16")


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2"])
def test_lora_trains_only_its_updates(family: str) -> None:
    weights = random_weights(family)
    frozen, block = FrozenBlock(weights), FrozenBlock(weights, train="lora", dtype="bfloat16").train()
    x, valid = tokens(block.dim)
    assert (block(x, valid) - frozen(x, valid)).norm() / frozen(x, valid).norm() < 1e-2, "updates must start at zero"
    probe(block(x, valid)).backward()
    trained = {name for name, p in block.named_parameters() if p.requires_grad}
    assert trained == set(block.state_dict())
    assert all("lora_" in name for name in trained)
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())
    other = FrozenBlock(weights, train="lora", dtype="bfloat16")
    for parameter in block.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.02)
    other.load_state_dict(block.state_dict(), strict=True)
    assert_equal_up_to_rounding(other(x, valid), block(x, valid))


def test_lora_targets_are_checked_and_chosen(llama: LayerWeights) -> None:
    values = {"source": "random:smollm2_135m", "train": "lora", "lora_rank": 2, "lora_targets": ["q_proj"]}
    block = make("block", "pretrained", values).build()
    assert sum(p.numel() for p in block.parameters() if p.requires_grad) == 2 * (576 + 576)
    with pytest.raises(BlockError, match=r"no linear layer is called c_attn; there are down_proj, gate_proj"):
        make("block", "pretrained", {**values, "lora_targets": ["c_attn"]}).build()


def test_copies_are_independent_and_alike(llama: LayerWeights) -> None:
    block = FrozenBlock(llama)
    twin = copy.deepcopy(block)
    x, valid = tokens(block.dim)
    assert torch.equal(block(x, valid), twin(x, valid))
    assert not twin.state_dict()
    twin.load_state_dict({}, strict=True)
    assert next(twin.parameters()).data_ptr() != next(block.parameters()).data_ptr()


def test_layers_compose() -> None:
    both = random_weights("llama", layers=(0, 1))
    first, second = (
        FrozenBlock(
            replace(both, layers=(both.layers[i],), reference=replace(both.reference, layers=(i,))), final_norm="off"
        )
        for i in (0, 1)
    )
    block = FrozenBlock(both, final_norm="off")
    x, valid = tokens(block.dim)
    assert_equal_up_to_rounding(block(x, valid), second(first(x, valid), valid))


def test_final_norm(llama: LayerWeights) -> None:
    x, valid = tokens(64)
    valid[:] = True
    gain = torch.rand(64) + 0.5
    loaded = replace(llama, final_norm={"weight": gain})
    off = FrozenBlock(llama, final_norm="off")(x, valid)
    ones = FrozenBlock(loaded, final_norm="ones")(x, valid)
    assert_equal_up_to_rounding(ones, off * torch.rsqrt(off.square().mean(-1, keepdim=True) + 1e-6))
    assert_equal_up_to_rounding(FrozenBlock(loaded, final_norm="loaded")(x, valid), ones * gain)
    with pytest.raises(BlockError, match="final_norm: loaded, but llama gives no weights"):
        FrozenBlock(llama, final_norm="loaded")


def test_model_without_a_final_norm_gets_none() -> None:
    post = random_weights("opt_post_norm")
    x, valid = tokens(64)
    assert torch.equal(FrozenBlock(post, final_norm="ones")(x, valid), FrozenBlock(post, final_norm="off")(x, valid))


@pytest.mark.parametrize("implementation", ["gated", "hf"])
def test_wrong_tensors_are_named(llama: LayerWeights, implementation: str) -> None:
    layer = llama.layers[0]

    def build(tensors: dict[str, torch.Tensor]) -> None:
        FrozenBlock(replace(llama, layers=(tensors,)), implementation=implementation)

    key = "mlp.up_proj.weight"
    with pytest.raises(BlockError, match=r"llama layer 0: .*missing: mlp.up_proj.weight"):
        build({k: t for k, t in layer.items() if k != key})
    with pytest.raises(BlockError, match=r"unexpected: self_attn.q_proj.bias"):
        build({**layer, "self_attn.q_proj.bias": torch.zeros(64)})
    with pytest.raises(BlockError, match=r"mlp.up_proj.weight has shape \[1, 64\], the layer needs \[96, 64\]"):
        build({**layer, key: torch.zeros(1, 64)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": "forzen"}, r"unknown train 'forzen' \(did you mean 'frozen'\?\)"),
        ({"final_norm": "one"}, "unknown final_norm 'one'"),
        ({"dtype": "int8"}, "unknown dtype 'int8'"),
    ],
)
def test_choices_are_listed(llama: LayerWeights, options: dict[str, str], message: str) -> None:
    with pytest.raises(BlockError, match=message):
        FrozenBlock(llama, **options)


def test_a_choice_is_a_member_or_its_name(llama: LayerWeights) -> None:
    members = {
        "final_norm": FinalNorm.off,
        "dtype": StoredAs.bfloat16,
        "train": Train.lora,
        "implementation": Implementation.hf,
    }
    by_name = FrozenBlock(llama, **{key: member.name for key, member in members.items()})
    by_member = FrozenBlock(llama, **members)
    assert repr(by_member) == repr(by_name)
    assert [type(layer) for layer in by_member.layers] == [type(layer) for layer in by_name.layers]
    assert by_name.trained is by_member.trained is Train.lora
    assert by_name.final_norm is by_member.final_norm is FinalNorm.off


def test_family_without_our_layer_is_refused_by_gated() -> None:
    with pytest.raises(BlockError, match=r"implementation: gated knows llama, .* not gpt2"):
        FrozenBlock(random_weights("gpt2"), implementation="gated")


def test_llama_7b_has_the_papers_size() -> None:
    """Paper: 202.4 M parameters in a block; the final norm's gain is one more vector."""
    from geo_lm4ve.blocks.architectures import architecture, parameter_shapes

    shapes = parameter_shapes(architecture("llama_7b"), 31)
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 202_383_360


def test_block_says_what_it_is() -> None:
    block = FrozenBlock.from_source("random:smollm2_135m", (-1,), dtype="bfloat16", causal=True)
    assert repr(block) == (
        "FrozenBlock(llama, dim 576, random:smollm2_135m layers [29], causal mask, no rotary, final norm ones, "
        "bfloat16, frozen)"
    )
    assert block.reference.layers == (29,)
    assert block.reference.sha256 == random_layers("smollm2_135m", (29,), 0, False).reference.sha256


def test_config_builds_what_it_says() -> None:
    config = make("block", "pretrained", {"source": "random:smollm2_135m", "layers": [-2, -1], "dtype": "bfloat16"})
    assert isinstance(config, PretrainedBlockConfig)
    block = config.build()
    assert block.reference.layers == (28, 29)
    assert sum(p.numel() for p in block.parameters()) == 2 * 3_540_096 + 576
