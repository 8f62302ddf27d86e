"""What tensors tell about the config behind them, and the advice that comes of it."""

import pytest
import torch

from geo_lm4ve.config import plain
from geo_lm4ve.create import create_model
from geo_lm4ve.options import options
from geo_lm4ve.pretrained.architecture import OUTPUTS, advice, count, describe, size, widths
from geo_lm4ve.pretrained.layouts import known_tables, table_of


@pytest.mark.parametrize("name", [name for name in options("encoder") if name != "generic"])  # made of others' files
def test_a_description_says_what_the_config_says(name):
    with torch.device("meta"):
        model = create_model(name)
    table = table_of(model.encoder)
    found = describe(model.state_dict(), table)
    assert found.pop("block_dim") is None
    if table is None:
        assert found == {}
        return
    assert found.pop(OUTPUTS if OUTPUTS in found else "num_classes") == model.config.outputs
    for key, value in found.items():
        group, _, field = key.partition(".")
        expected = plain(getattr(model.config, group))[field]
        assert value == (tuple(expected) if isinstance(expected, list) else expected), key


def test_what_is_not_there_is_not_a_difference():
    model = create_model("point_bert_tiny", block="mlp")
    table = table_of(model.encoder)
    for known in known_tables():
        assert not any(describe({}, known).values())
        assert advice(describe({}, known), describe(model.state_dict(), table)) == ""
    assert advice(describe(model.state_dict(), table), describe(model.state_dict(), table)) == ""
    assert describe(model.state_dict(), None) == {"block_dim": 576}


def test_tensors_of_another_rank_tell_nothing():
    state = {"a.0.weight": torch.tensor(1.0), "a.1.weight": torch.ones(3), "b": torch.tensor(1.0)}
    assert size(state, "b") is None
    assert size(state, "a.1.weight", axis=1) is None
    assert widths(state, "a.*.weight") == ()
    assert count(state, "a.*") == 2
    assert count(state, "b.*") is None


def test_widths_come_in_the_order_of_their_numbers():
    state = {f"head.mlp.{i}.weight": torch.ones(i + 1, 2) for i in (10, 2, 0)}
    assert widths(state, "head.mlp.*.weight") == (1, 3, 11)


def test_advice_names_config_keys_as_the_command_line_takes_them():
    file = {"encoder.depth": 3, "head.hidden": (256, 128), "block_dim": 576, "encoder.dim": 8, OUTPUTS: 40}
    model = {"encoder.depth": 2, "head.hidden": (256,), "block_dim": None, "encoder.dim": 8, OUTPUTS: 15}
    assert advice(file, model) == (
        "The checkpoint has depth 3 (the model: 2), hidden (256, 128) (the model: (256,)), block_dim 576 (the model: "
        "none): build the model with these (encoder.depth=3, head.hidden=[256,128], a block of width 576). "
    )
    assert advice({OUTPUTS: 40}, model).startswith("The checkpoint was trained with 40 outputs, the model has 15; pass")
