"""One test over every shipped architecture, with and without a block: what the house promises of any model."""

import dataclasses
import re

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

import geo_lm4ve
from geo_lm4ve.engine.flops import FORMULAS, count_flops
from geo_lm4ve.model import Model, ModelConfig
from geo_lm4ve.options import load_option, options
from geo_lm4ve.testing import assert_block_frozen, assert_equal_up_to_rounding, assert_padding_invariant

NAMED = {"generic": {"source": "vision_models:OwnNetwork", "size": 32, "freeze": False}}
"""What options leave to the user."""


def config_of(option):
    return load_option("encoder", option, NAMED.get(option))


def tensors_of(option):
    """Names of an encoder's tensors without their numbers, and how many values they hold."""
    with torch.device("meta"):
        state = config_of(option).build().state_dict()
    names = {re.sub(r"\d+", "*", key) for key in state}
    return tuple(sorted(names)), sum(value.numel() for value in state.values())


def smallest(names):
    """Options with weights, the smallest of each architecture: depth, width and number of points make no other one."""
    found = {option: tensors_of(option) for option in names}
    descending = sorted((option for option in found if found[option][1]), key=lambda option: -found[option][1])
    return sorted({found[option][0]: option for option in descending}.values())


MODELS = smallest(options("encoder"))


def batch_for(model):
    """A batch of two small samples for the model's encoder."""
    return config_of(model).sample_batch(2)


def create(model, block="random_frozen"):
    torch.manual_seed(0)
    return geo_lm4ve.create_model(model, block=block, **NAMED.get(model, {}))


def tensors(prediction, name=""):
    """Tensors of a prediction, and of predictions inside it, by name."""
    if isinstance(prediction, torch.Tensor):
        return {name: prediction}
    if not dataclasses.is_dataclass(prediction):
        return {}
    parts = [
        tensors(getattr(prediction, field.name), f"{name}.{field.name}") for field in dataclasses.fields(prediction)
    ]
    return {name: value for part in parts for name, value in part.items()}


@pytest.mark.parametrize("name", MODELS)
def test_stages_say_their_width_and_the_head_finds_its_spans(name):
    model, value = create(name, "identity").eval(), batch_for(name)
    assert list(model.encoder.dims) == list(model.encoder.stages)
    with torch.no_grad():
        for stage, module in model.encoder.stages.items():
            value = module(value)
            assert value.dim == model.encoder.dims[stage]
            assert value.features.isfinite().all()
    assert set(model.head.reads) <= set(value.spans)
    assert isinstance(model.head.norm_first, bool)


@pytest.mark.parametrize("name", MODELS)
def test_stages_ignore_padding(name):
    model, value = create(name, "identity").eval(), batch_for(name)
    stages = list(model.encoder.stages.values())
    with torch.no_grad():
        value = stages[0](value)
        for stage in stages[1:3]:
            after = stage(value)
            if after.spans == value.spans:  # a stage that makes other tokens is tested with its encoder
                assert_padding_invariant(stage, value)
            value = after


@pytest.mark.parametrize("name", MODELS)
def test_training_changes_adapters_and_encoder_and_never_the_frozen_block(name):
    model = create(name)

    def loss(prediction):
        return sum(value.float().square().mean() for value in tensors(prediction).values() if value.requires_grad)

    assert_block_frozen(model.train(), batch_for(name), loss)


@pytest.mark.parametrize("name", MODELS)
def test_save_and_load_without_the_frozen_block(name, tmp_path):
    model, batch = create(name).eval(), batch_for(name)
    frozen = {id(parameter) for parameter in model.bridge.block.parameters()}
    stored = {key for key in model.state_dict() if key.startswith("bridge.block.")}
    assert frozen
    assert not stored
    model.save_pretrained(tmp_path)
    loaded = Model.from_pretrained(tmp_path)
    with torch.no_grad():
        found, expected = tensors(loaded(batch)), tensors(model(batch))
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert torch.equal(value, expected[key])


@pytest.mark.parametrize("name", MODELS)
def test_identity_adds_no_parameter(name):
    model = create(name, "identity")
    parts = sum(p.numel() for part in (model.encoder, model.head) for p in part.parameters())
    assert sum(model.count().values()) == parts


class Products(TorchDispatchMode):
    """Names of the operations that look like products of tensors."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if re.search("mm|mv|dot|conv|attention|attn|rnn|lstm|gru|linear", str(func)):
            self.seen.add(func.overloadpacket)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", MODELS)
def test_flops_of_every_product_are_booked_on_a_part(name):
    with Products() as products:
        spent = count_flops(create(name).eval(), batch_for(name))
    assert spent["encoder"]["trainable"] > 0
    assert spent["adapters"]["trainable"] > 0 == spent["adapters"]["frozen"]
    assert spent["block"]["frozen"] > 0 == spent["block"]["trainable"]
    assert products.seen <= {*FORMULAS, *flop_registry}, "products that nobody counts"


@pytest.mark.parametrize("name", MODELS)
def test_evaluation_is_deterministic(name):
    model, batch = create(name).eval(), batch_for(name)
    with torch.no_grad():
        first, second = tensors(model(batch)), tensors(model(batch))
    for key, value in first.items():
        assert torch.equal(value, second[key])


@pytest.mark.parametrize("name", MODELS)
def test_what_the_head_does_not_read_is_not_missed(name):
    model, batch = create(name), batch_for(name)
    with torch.no_grad():
        found, expected = tensors(model.eval()(batch)), tensors(model.head(model.tokens(batch)))
    for key, value in found.items():
        assert_equal_up_to_rounding(value, expected[key])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("place", ["first", "middle"])
def test_the_bridge_may_follow_any_stage(name, place):
    encoder = config_of(name)
    stages = list(encoder.build().stages)
    after = stages[0] if place == "first" else stages[len(stages) // 2]
    built = create(name, "identity").config
    model = ModelConfig(
        encoder,
        load_option("block", "mlp"),
        load_option("bridge", "linear", {"after": after}),
        built.head,
        built.outputs,
    ).build()
    with torch.no_grad():
        for value in tensors(model.eval()(batch_for(name))).values():
            assert value.isfinite().all()
