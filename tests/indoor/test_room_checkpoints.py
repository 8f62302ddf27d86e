"""Official ScanQA and SQA3D files: names and shapes as published, there and back, and what does not fit is named."""

from collections import Counter
from functools import cache
from hashlib import sha256

import pytest
import torch
from golden_weights import fill

from geo_lm4ve.create import create_model
from geo_lm4ve.indoor.checkpoints.rows import describe
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.saved import CheckpointError

SHARED = {
    "lang_net": 571_392, "detection_backbone": 641_920, "voting_net": 199_171, "proposal_net": 112_481,
    "lang_feat_linear": 65_792, "object_feat_linear": 33_024, "object_cls": 66_049, "attflat_visual": 197_633,
}  # fmt: skip
PARTS = {
    "scanqa": SHARED | {
        "fusion_backbone": 3_686_400, "fusion_norm": 1_024, "lang_cls": 135_954, "attflat_lang": 197_633,
        "answer_cls": 2_409_376,
    },
    "sqa3d": SHARED | {
        "s_feat_linear": 65_792, "q_feat_linear": 65_792, "enc_list_s": 1_579_520, "enc_list_q": 1_579_520,
        "dec_list": 2_106_880, "dec_list_2": 2_106_880, "aux_reg": 264_199, "attflat_s": 197_633,
        "attflat_q": 197_633, "attflat_lstm_q": 197_633, "answer_cls": 574_914,
    },
}  # fmt: skip
"""Parameters of each part of the published models, for xyz and height."""
NAMES = {
    "scanqa": (262, "208854ad1b1f091e201d48625ce14c22fa0e426a34e3a3963d169c51838b6a9f"),
    "sqa3d": (360, "3a2f8fd309acbd14b869119b2760e0a974c8c52457b163dd2f3cd0d3090a95fb"),
}
"""How many tensors a published file has, and the SHA-256 of its sorted lines ``key shape``."""
SUMS = {"scanqa": (8_317_849, 620_930.36), "sqa3d": (10_823_858, 752_427.15)}
UNUSED = ("s_feat_linear", "q_feat_linear", "object_cls", "attflat_lstm_q")


@cache
def filled(name):
    return fill(to_official(create_model(name)))


def official(name):
    return dict(filled(name))


def lines(state):
    shapes = {key: "x".join(map(str, value.shape)) or "scalar" for key, value in state.items()}
    return sorted(f"{key} {shape}" for key, shape in shapes.items())


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_are_the_published_ones(name):
    count, digest = NAMES[name]
    found = lines(official(name))
    assert len(found) == count
    assert sha256("\n".join(found).encode()).hexdigest() == digest


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_its_published_number_of_parameters(name):
    found = Counter()
    for key, value in official(name).items():
        if "running" not in key and "num_batches" not in key:
            found[key.split(".")[0]] += value.numel()
    assert found == PARTS[name]
    model = create_model(name)
    assert sum(p.numel() for p in model.parameters()) == SUMS[name][0] == sum(PARTS[name].values())


def test_what_nobody_calls_is_counted_and_does_not_train():
    assert create_model("sqa3d").count()["frozen"] == sum(PARTS["sqa3d"][part] for part in UNUSED) == 395_266


@pytest.mark.parametrize("name", SUMS)
def test_golden_weights_are_those_of_the_reference(name):
    """So that the golden numbers are of these weights; the reference rounds the sum."""
    total = sum(value.double().abs().sum() for value in official(name).values() if value.is_floating_point())
    assert float(total) == pytest.approx(SUMS[name][1], abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name):
    state, model = official(name), create_model(name)
    report = load_official(model, state)
    assert len(report.loaded) == len(state)
    assert (report.missing, report.unexpected, report.ignored) == ((), (), {})
    back = to_official(model)
    assert all(torch.equal(back[key], value) for key, value in state.items())


def test_adapters_and_words_stay_fresh_and_are_said_to():
    model = create_model("scanqa", block="mlp", text="learned")
    report = load_official(model, official("scanqa"))
    assert {key.split(".")[0] for key in report.missing} == {"bridge", "encoder"}
    assert [key for key in report.missing if key.startswith("encoder")] == [
        "encoder.stages.detect.reader.text.table.weight"
    ]
    with pytest.raises(CheckpointError, match=r"no official names for encoder\.stages\.detect\.reader\.text"):
        to_official(model)


@pytest.mark.parametrize("lost", ["voting_net.bn1.running_var", "object_feat_linear.0.bias"])
def test_nothing_is_loaded_in_part(lost):
    state, model = official("scanqa"), create_model("scanqa")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    del state[lost]
    with pytest.raises(CheckpointError, match="the file lacks"):
        load_official(model, state)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


MISFITS = {
    "width": ({"hidden": 128}, "hidden 256 (the model: 128)", "encoder.hidden=256"),
    "layers": ({"layers": 1}, "layers 2 (the model: 1)", "encoder.layers=2"),
    "detector": ({"width": 32}, "width 64 (the model: 32)", "encoder.width=64"),
    "features": ({"features": ["color", "height"]}, "features ('height',)", "encoder.features=[height]"),
    "answers": ({"num_classes": 7}, "trained with 8864 outputs, the model has 7", "classes='slice'"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_what_does_not_fit_is_named_with_the_key_to_set(misfit):
    changes, *said = MISFITS[misfit]
    with pytest.raises(CheckpointError) as caught:
        load_official(create_model("scanqa", **changes), official("scanqa"))
    for words in said:
        assert words in str(caught.value)


def test_what_the_tensors_tell():
    assert describe(create_model("scanqa_small", num_classes=5).state_dict()) == {
        "encoder.hidden": 128,
        "encoder.layers": 2,
        "encoder.width": 32,
        "encoder.features": ("height",),
        "encoder.text": "learned",
        "outputs": 5,
    }
    assert describe({"encoder.stages.detect.reader.lstm.weight_ih_l0": torch.zeros(4, 384)})["encoder.text"] is None
    assert not any(describe({}).values())


def test_vectors_of_words_are_in_no_official_file(tmp_path, monkeypatch):
    """Nor is the fingerprint by which our own checkpoints know them."""
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "glove.txt").write_text("unk 1 2\nchair 3 4\n")
    of_file = {"text": "glove", "text_source": str(tmp_path / "glove.txt"), "num_classes": 3}
    model, other = create_model("scanqa_small", **of_file), create_model("scanqa_small", **of_file)
    assert any("reader.text" in key for key in model.state_dict())
    official = to_official(model)
    assert not any("text" in key for key in official)
    assert [key for key in load_official(other, official).missing if "reader.text" not in key] == []
    assert torch.equal(other.head.answer[3].weight, model.head.answer[3].weight)


def test_the_auxiliary_task_is_named_where_only_the_file_has_it():
    model = create_model("sqa3d")
    with_it = official("sqa3d")
    without = {key: value for key, value in with_it.items() if not key.startswith("aux_reg")}
    with pytest.raises(CheckpointError, match=r"the file lacks head\.pose.*head\.pose=False"):
        load_official(model, without)
    load_official(model, with_it)


def test_one_answers_file_is_no_others():
    with pytest.raises(CheckpointError, match="is ScanQA and needs a ScanQa encoder, but the model has a Sqa3d"):
        load_official(create_model("sqa3d"), official("scanqa"))


def test_more_answers_than_the_model_has_can_be_cut():
    model = create_model("scanqa", num_classes=7)
    report = load_official(model, official("scanqa"), classes="slice")
    assert set(report.sliced.values()) == {(8864, 7)}
    assert torch.equal(model.head.answer[3].bias, official("scanqa")["answer_cls.3.bias"][:7])
