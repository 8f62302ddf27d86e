"""Official PointNeXt classifiers: golden logits, files in the official layout, refusals."""

import pytest
import torch
from pointnext_official import deep_shapes, draw, small_shapes

from geo_lm4ve.create import create_model
from geo_lm4ve.points.checkpoints.pointnext import describe
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.saved import CheckpointError
from geo_lm4ve.testing import golden_clouds, golden_fill

WIDTH = 4
SMALL = {"num_classes": 5, "width": WIDTH, "neighbours": 4}


def small(**more):
    return create_model("pointnext_s", **{**SMALL, **more}).eval()


def shapes(**more):
    return small_shapes(**{"width": WIDTH, "classes": 5, **more})


def logits(model):
    with torch.no_grad():
        return model(golden_clouds(64))


def test_golden_logits():
    """The numbers that the official forward code gives for these weights and these clouds."""
    model = create_model("pointnext_s", num_classes=40).eval()
    report = load_official(model, golden_fill(draw(small_shapes())))
    assert len(report.loaded) == 84
    after, value = {}, model.encoder.taken(golden_clouds())
    with torch.no_grad():
        for name, stage in model.encoder.stages.items():
            value = after[name] = stage(value)
        found = model(golden_clouds())
    assert after["sa_1"].features.mean().item() == pytest.approx(0.585866, abs=1e-5)
    assert after["sa_4"].features.mean().item() == pytest.approx(1.970941, abs=1e-5)
    assert after["sa_4"].features[0, 0, :3].tolist() == pytest.approx([0, 0, 2.843780], abs=1e-4)
    expected = [3.32814, -2.42237, -6.35129, 1.53549, -3.56846, 1.12813]
    assert found[0, :6].tolist() == pytest.approx(expected, abs=1e-4)
    assert found[1, :3].tolist() == pytest.approx([3.55059, -2.48858, -5.84470], abs=1e-4)
    assert found.abs().mean().item() == pytest.approx(3.00896, abs=1e-4)


@pytest.mark.parametrize("container", ["model", "net", "network", "state_dict", "base_model"])
def test_files_as_the_trainers_save_them(container, tmp_path):
    state = draw(shapes())
    more = {"optimizer": {"state": {}, "param_groups": []}, "scheduler": {}, "epoch": 3, "best_val": 94.0}
    torch.save({container: {f"module.{key}": value for key, value in state.items()}, **more}, tmp_path / "best.pth")
    loaded, plain = small(), small()
    report = load_official(loaded, tmp_path / "best.pth")
    load_official(plain, state)
    assert (report.missing, report.unexpected, report.ignored) == ((), (), {})
    assert torch.equal(logits(loaded), logits(plain))
    assert not torch.equal(logits(loaded), logits(small()))


DEEP = {"blocks": [2, 4, 1, 3], "sa_layers": 1, "sa_residual": False}


@pytest.mark.parametrize(
    ("state", "more"),
    [(draw(shapes(inputs=4)), {"in_channels": 4}), (draw(deep_shapes(DEEP["blocks"], WIDTH, classes=5)), DEEP)],
    ids=["S", "deep"],
)
def test_there_and_back(state, more):
    model = small(**more)
    assert len(load_official(model, state).loaded) == len(state) == len(model.state_dict())
    back = to_official(model)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], value) for key, value in state.items())


def test_another_width_is_named_with_the_option_to_set():
    with pytest.raises(CheckpointError) as caught:
        load_official(create_model("pointnext_s", num_classes=40), draw(small_shapes(width=64)))
    message = str(caught.value)
    assert (
        "encoder.stages.stem.linear.weight (encoder.encoder.0.0.convs.0.0.weight): file (64, 3), model (32, 3)"
        in message
    )
    assert "The checkpoint has width 64 (the model: 32): build the model with these (encoder.width=64)." in message
    report = load_official(create_model("pointnext_s_w64", num_classes=40), draw(small_shapes(width=64)))
    assert len(report.loaded) == 84


def test_other_inputs_depths_and_classes_are_named():
    with pytest.raises(CheckpointError, match=r"in_channels 4 \(the model: 3\).*\(encoder.in_channels=4\)"):
        load_official(small(), draw(shapes(inputs=4)))
    with pytest.raises(CheckpointError, match=r"encoder.blocks=\[1,2,1,1\], encoder.sa_layers=1, .*sa_residual=False"):
        load_official(small(), draw(deep_shapes([1, 2, 1, 1], WIDTH, classes=5)))
    with pytest.raises(CheckpointError, match="trained with 7 outputs, the model has 5"):
        load_official(small(), draw(shapes(classes=7)))


@pytest.mark.parametrize(
    "lost",
    ["encoder.encoder.3.0.skipconv.0.bias", "encoder.encoder.5.0.convs.1.1.running_var", "prediction.head.0.0.weight"],
)
def test_nothing_is_loaded_in_part(lost):
    state, model = draw(shapes()), small()
    before = logits(model)
    del state[lost]
    with pytest.raises(CheckpointError, match="the file lacks"):
        load_official(model, state)
    assert torch.equal(logits(model), before)


def test_a_segmentation_file_is_refused_by_what_it_holds_more():
    state = draw(shapes()) | {"decoder.decoder.0.0.convs.0.0.weight": torch.ones(2, 2, 1)}
    with pytest.raises(CheckpointError, match=r"no place for decoder\.decoder"):
        load_official(small(), state)


def test_adapters_stay_fresh_and_are_said_to():
    model = small(block="mlp")
    report = load_official(model, draw(shapes()))
    assert report.missing
    assert all(key.startswith("bridge.") for key in report.missing)


def test_what_the_tensors_tell():
    assert describe(small().state_dict()) == {
        "encoder.width": WIDTH,
        "encoder.in_channels": 3,
        "encoder.blocks": (1, 1, 1, 1),
        "encoder.sa_layers": 2,
        "encoder.sa_residual": True,
        "head.hidden": (512, 256),
        "outputs": 5,
    }
    deep = describe(small(**DEEP, expansion=3).state_dict())
    assert deep["encoder.blocks"] == (2, 4, 1, 3)
    assert (deep["encoder.sa_layers"], deep["encoder.sa_residual"], deep["encoder.expansion"]) == (1, False, 3)
    assert not any(describe({}).values())
