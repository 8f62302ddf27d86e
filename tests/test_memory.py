"""Sizes of which no memory can be had, and sizes of which it can."""

import json
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from geo_lm4ve.blocks.base import BlockError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.memory import Asking, TooLargeError
from geo_lm4ve.model import Model
from geo_lm4ve.saved import CheckpointError

SMALL = {"dim": 12, "depth": 1, "heads": 2, "encoder_dim": 8}


@pytest.mark.parametrize(("key", "value"), [("dim", 999_999_999), ("encoder_dim", 10**9), ("depth", 10**9)])
def test_an_absurd_size_is_named_before_memory_is_asked_for(key, value):
    with pytest.raises(ConfigError, match=rf"cannot be built: .* its largest number is encoder\.{key}={value}; choose"):
        create_model("point_bert", num_classes=3, **{**SMALL, "heads": 1, key: value})


def test_outputs_and_the_width_of_a_control_are_sizes_too():
    with pytest.raises(ConfigError, match=r"its largest number is outputs=1000000000000"):
        create_model("point_bert", num_classes=10**12, **SMALL)


def test_a_card_asks_for_no_more_than_its_weights_are(tmp_path):
    create_model("point_bert", num_classes=3, **SMALL).save_pretrained(tmp_path)
    card = (tmp_path / "model.json").read_text()
    (tmp_path / "model.json").write_text(card.replace('"dim": 12', '"dim": 24000'))
    with pytest.raises(ConfigError, match=r"its largest number is encoder\.dim=24000") as caught:
        Model.from_pretrained(tmp_path)
    assert str(tmp_path / "model.json") in caught.value.__notes__[0]


def test_the_width_of_the_control_asks_for_no_more_than_its_weights_are_either(tmp_path):
    create_model("point_bert", num_classes=3, block="mlp", **SMALL).save_pretrained(tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    card["block"]["width"] = 2**27
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(ConfigError, match=rf"a tensor of {2**27}, .* its largest number is block\.width={2**27}"):
        Model.from_pretrained(tmp_path)


def test_whole_numbers_do_not_become_weights(tmp_path):
    from safetensors.torch import load_file, save_file

    create_model("point_bert", num_classes=3, **SMALL).save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    state = load_file(path)
    name = next(name for name in state if name.endswith("weight"))
    save_file(state | {name: state[name].view(torch.int32)}, path)
    with pytest.raises(CheckpointError, match=rf"{name} is stored as torch\.int32, the model has torch\.float32"):
        Model.from_pretrained(tmp_path)


def test_all_of_llama_7b_is_no_absurd_size_where_there_is_room_for_it(monkeypatch):
    """Counted only: a rehearsal takes no memory."""
    layer = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096
    for gib, fits in ((64, True), (16, False)):
        monkeypatch.setattr("geo_lm4ve.memory.machine_memory", lambda gib=gib: gib << 30)
        with Asking({"layers": 32}, rehearsed=True) as asking, nullcontext() if fits else pytest.raises(TooLargeError):
            for _ in range(32):
                torch.empty(layer)
        assert (asking.asked == 32 * layer * 4) == fits


def test_what_is_asked_for_is_counted_once_and_given():
    torch.manual_seed(0)
    plain = nn.Linear(5, 7)
    torch.manual_seed(0)
    with Asking({}) as asking:
        counted = nn.Linear(5, 7)
        drawn = torch.randn(3, generator=torch.Generator().manual_seed(1))
    assert asking.asked == 4 * (5 * 7 + 7 + 3)
    assert torch.equal(plain.weight, counted.weight)
    assert torch.equal(drawn, torch.randn(3, generator=torch.Generator().manual_seed(1)))


def test_tensors_on_meta_ask_for_nothing():
    with Asking({}, 0) as asking:
        nn.Linear(10**6, 10**6, device="meta")
        with pytest.raises(TooLargeError, match="a tensor of 1,"):
            torch.empty(1)
    assert asking.asked == 4


def test_random_layers_count(monkeypatch):
    monkeypatch.setattr("geo_lm4ve.blocks.architectures.machine_memory", lambda: 1 << 20)
    with pytest.raises(BlockError, match=r"1 random layers of smollm2_135m would take 0\.0 GB, .*ask for fewer"):
        create_model("point_bert", num_classes=3, block="random_frozen", **SMALL)


def test_what_cannot_be_rehearsed_is_built():
    made = Asking({}).build(lambda: torch.full((int(torch.ones(3).sum()),), 2.0))
    assert made.tolist() == [2.0, 2.0, 2.0]
