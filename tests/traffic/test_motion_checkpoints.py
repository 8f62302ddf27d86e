"""Official motion checkpoints: every name finds its place, and the numbers are those of the original projects' code.

The numbers were computed by the original forward code in float64 with ``golden_fill`` weights on ``golden`` scenes.
"""

from functools import cache

import pytest
import torch
from scene_batches import golden

from geo_lm4ve.create import create_model
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.saved import CheckpointError
from geo_lm4ve.testing import golden_fill

PLACES = "stacked_transformer.hist_tf.src_embed.1.pe"


@cache
def golden_state(name):
    """A golden state dict of an official checkpoint; the table of positions keeps its sines."""
    state = to_official(create_model(name, block="identity").double())
    table = state[PLACES].clone() if PLACES in state else None
    golden_fill(state)
    if table is not None:
        state[PLACES] = table
    return state


def official(name):
    return dict(golden_state(name))


def linear(key, inputs, outputs):
    return {f"{key}.weight": (outputs, inputs), f"{key}.bias": (outputs,)}


def norm(key, width=128):
    return {f"{key}.weight": (width,), f"{key}.bias": (width,)}


def stack(key, attentions):
    """Shapes of an official stack of two layers."""
    shapes = norm(f"{key}.norm")
    for layer in (f"{key}.layers.{i}" for i in range(2)):
        for attention in attentions:
            for i in range(4):
                shapes |= linear(f"{layer}.{attention}.linears.{i}", 128, 128)
        shapes |= linear(f"{layer}.feed_forward.w_1", 128, 256) | linear(f"{layer}.feed_forward.w_2", 256, 128)
        for i in range(len(attentions) + 1):
            shapes |= norm(f"{layer}.sublayer.{i}.norm")
    return shapes


def published_mmtransformer():
    """Names and shapes as published, written out apart from the table under test."""
    root = "stacked_transformer"
    shapes = {PLACES: (5000, 128), f"{root}.query_embed.weight": (6, 128)}
    for key in ("hist_tf.encoder", "lane_enc", "social_enc"):
        shapes |= stack(f"{root}.{key}", ["self_attn"])
    for key in ("hist_tf.decoder", "lane_dec", "social_dec"):
        shapes |= stack(f"{root}.{key}", ["self_attn", "src_attn"])
    shapes |= linear(f"{root}.hist_tf.src_embed.0.lut", 4, 128) | linear(f"{root}.lane_emb.lut", 64, 128)
    for key, inputs, width in (
        ("pos_emb", 2, 64),
        ("dist_emb", 768, 128),
        ("fusion1", 192, 128),
        ("fusion2", 192, 128),
    ):
        shapes |= linear(f"{root}.{key}.0", inputs, width) | norm(f"{root}.{key}.1", width)
        shapes |= linear(f"{root}.{key}.3", width, width)
    header = f"{root}.prediction_header"
    shapes |= linear(f"{header}.reg_mlp.0", 256, 256) | norm(f"{header}.reg_mlp.1", 256)
    shapes |= linear(f"{header}.reg_mlp.3", 256, 128) | linear(f"{header}.reg_mlp.4", 128, 60)
    shapes |= linear(f"{header}.dis_emb", 2, 128)
    shapes |= linear(f"{header}.cls_FFN.w_1", 256, 512) | linear(f"{header}.cls_FFN.w_2", 512, 256)
    shapes |= linear(f"{header}.classification_layer.0", 256, 128) | linear(f"{header}.classification_layer.1", 128, 1)
    for level, inputs in enumerate((7, 64)):
        key = f"subgraph.layer_seq.lmlp_{level}.mlp"
        shapes |= linear(f"{key}.0", inputs, 32) | norm(f"{key}.1", 32)
    return shapes


def test_mmtransformers_names_and_shapes_are_the_published_ones():
    published = published_mmtransformer()
    assert len(published) == 320
    model = create_model("mmtransformer", block="identity")
    assert sum(p.numel() for p in model.parameters()) == 2_607_197
    assert {key: tuple(value.shape) for key, value in to_official(model).items()} == published


@pytest.mark.parametrize("name", ["mmtransformer", "vectornet"])
def test_a_checkpoint_loads_whole_and_comes_back_whole(name):
    state = official(name)
    model = create_model(name, block="identity").double()
    report = load_official(model, state)
    assert len(report.loaded) == len(state)
    assert (report.missing, report.unexpected, report.ignored) == ((), (), {})
    back = to_official(model)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_a_checkpoint_as_the_training_saved_it_is_recognised():
    state = official("mmtransformer")
    raw = {"module." + key.replace("stacked_transformer.", "STF."): value for key, value in state.items()}
    model = create_model("mmtransformer", block="identity").double()
    report = load_official(model, {"state_dict": raw})
    assert report.layout == "mmTransformer, as its training saved it"
    assert len(report.loaded) == 320
    assert torch.equal(to_official(model)[PLACES], state[PLACES])


def test_what_is_missing_or_too_much_is_named():
    state = official("mmtransformer")
    del state["stacked_transformer.social_dec.norm.bias"]
    model = create_model("mmtransformer", block="identity")
    with pytest.raises(
        CheckpointError, match=r"lacks encoder\.stages\.agents_lanes\.unused_social_decoder\.norm\.bias"
    ):
        load_official(model, state)
    with pytest.raises(CheckpointError, match=r"has no place for subgraph\.more"):
        load_official(model, official("mmtransformer") | {"subgraph.more": torch.zeros(3)})
    with pytest.raises(CheckpointError, match="needs a MmTransformer encoder, but the model has a VectorNet"):
        load_official(create_model("vectornet_small", block="identity"), state)
    with pytest.raises(CheckpointError, match=r"reg_mlp.4.weight\): file \(60, 128\), model \(120, 128\)"):
        load_official(create_model("mmtransformer", num_classes=60, block="identity"), official("mmtransformer"))


@pytest.mark.parametrize(
    ("name", "model", "advice"),
    [
        (
            "vectornet",
            {"name": "vectornet_small", "num_classes": 60},
            "widths (32, 64, 128) (the model: (16, 32, 64)), num_classes 30 (the model: 60): build the model with "
            "these (encoder.widths=[32,64,128], num_classes=30)",
        ),
        (
            "vectornet",
            {"name": "vectornet", "global_depth": 2},
            "global_depth 1 (the model: 2): build the model with these (encoder.global_depth=1)",
        ),
        (
            "mmtransformer",
            {"name": "mmtransformer", "depth": 1, "mlp_dim": 64, "proposals": 3},
            "depth 2 (the model: 1), mlp_dim 256 (the model: 64), proposals 6 (the model: 3): build the model with "
            "these (encoder.depth=2, encoder.mlp_dim=256, encoder.proposals=6)",
        ),
        (
            "mmtransformer",
            {"name": "mmtransformer_small"},
            "dim 128 (the model: 64), depth 2 (the model: 1), mlp_dim 256 (the model: 128), lane_width 32 (the model: "
            "16), position_dim 64 (the model: 32): build",
        ),
    ],
    ids=["width and frames", "global layers", "layers and proposals", "small"],
)
def test_a_file_of_another_size_names_the_keys_to_change(name, model, advice):
    with pytest.raises(CheckpointError) as caught:
        load_official(create_model(**model, block="identity"), official(name))
    assert f"The checkpoint has {advice}" in str(caught.value)


@cache
def predict(name):
    model = create_model(name, block="identity").double().eval()
    load_official(model, official(name))
    with torch.no_grad():
        return model(golden())


def test_mmtransformer_computes_what_the_original_computes():
    prediction = predict("mmtransformer")
    expected = [[-12.60621596, -5.92446748], [-14.59185487, -6.11816257]]
    torch.testing.assert_close(prediction.positions[:, 0, -1], torch.tensor(expected).double(), atol=1e-6, rtol=0)
    expected = [[-3.79215265, -0.73535476], [-5.02405787, -0.62158500]]
    torch.testing.assert_close(prediction.positions[:, 5, 9], torch.tensor(expected).double(), atol=1e-6, rtol=0)
    expected = [
        [0.16939250, 0.16923256, 0.16717351, 0.16556629, 0.16457536, 0.16405978],
        [0.17048453, 0.17021018, 0.16638151, 0.16598895, 0.16352591, 0.16340892],
    ]
    torch.testing.assert_close(prediction.probabilities, torch.tensor(expected).double(), atol=1e-7, rtol=0)
    assert prediction.agents.positions.sum().item() == pytest.approx(-4169.04293569, abs=1e-5)


def test_vectornet_computes_what_the_original_computes():
    prediction = predict("vectornet")
    expected = [[1.50696791, -0.25579375], [1.70808260, -0.35913012]]
    torch.testing.assert_close(prediction.positions[:, 0, -1], torch.tensor(expected).double(), atol=1e-6, rtol=0)
    expected = [[-1.31693448, 0.83640757], [-1.37637122, 0.84148647]]
    torch.testing.assert_close(prediction.positions[:, 5, 9], torch.tensor(expected).double(), atol=1e-6, rtol=0)
    expected = [
        [0.23325204, 0.22268072, 0.17780153, 0.15646574, 0.12244353, 0.08735644],
        [0.22771582, 0.22617465, 0.19140370, 0.16069974, 0.11946737, 0.07453872],
    ]
    torch.testing.assert_close(prediction.probabilities, torch.tensor(expected).double(), atol=1e-7, rtol=0)
    assert prediction.agents.positions.sum().item() == pytest.approx(8950.42560556, abs=1e-5)
    assert prediction.agents.single.sum().item() == pytest.approx(1524.67266259, abs=1e-5)
