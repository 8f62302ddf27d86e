"""Official checkpoints into our models: names, shapes, numbers, reports and refusals."""

from dataclasses import replace

import pytest
import torch

from geo_lm4ve.blocks.base import Block
from geo_lm4ve.bridge import LinearBridgeConfig
from geo_lm4ve.create import create_model
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option
from geo_lm4ve.points.batch import PointBatch
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.pretrained.layouts import known_tables
from geo_lm4ve.saved import CheckpointError
from geo_lm4ve.testing import golden_clouds, golden_fill

HEAD = {f"head.mlp.{i}.{kind}" for i in (0, 3) for kind in ("weight", "bias")}
SIZES = {"dim": 24, "depth": 2, "heads": 3, "num_groups": 8, "group_size": 4}


class WideBlock(Block):
    dim = 256

    def forward(self, x, valid):
        return x


def small(classes=5, encoder="point_bert", **changes):
    encoder_dim = {"point_bert": 16, "point_mae": 24}[encoder]
    return create_model(encoder, num_classes=classes, **{**SIZES, "encoder_dim": encoder_dim, **changes}).eval()


def bridged():
    base = small()
    return Model(base.encoder, LinearBridgeConfig().build(WideBlock(), 24), base.head).eval()


def cloud_batch(points=1024):
    return PointBatch(golden_clouds(points), labels=torch.zeros(2, dtype=torch.long), index=torch.arange(2))


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def test_golden_logits(official):
    """The numbers that the official forward code gives for these weights and these clouds."""
    model = create_model("point_bert", num_classes=40).eval()
    report = load_official(model, golden_fill(official.fine_tuned(classes=40, dim=384, depth=12, encoder_dim=256)))
    assert len(report.loaded) == 164
    with torch.no_grad():
        groups, centers = model.encoder.stages["embed"].group(golden_clouds())
        tokens = model.encoder.stages["embed"].pointnet(groups)
        normed = model.head.norm(model.tokens(cloud_batch()).features)
        logits = model(cloud_batch())
    assert groups[0].norm(dim=-1).sum().item() == pytest.approx(409.6762, abs=1e-3)
    assert centers[0, 1].tolist() == pytest.approx([0.239289, 0.032890, -0.959186], abs=1e-5)
    assert tokens.mean().item() == pytest.approx(0.220708, abs=1e-5)
    assert tokens[0, 0, :3].tolist() == pytest.approx([0.271097, 0.147498, 0.026175], abs=1e-5)
    assert normed[0, 0, :3].tolist() == pytest.approx([-1.081354, -0.792402, 0.711616], abs=1e-4)
    expected = [1.57152, -0.25706, -0.37694, 0.91636, -2.30776, -0.43298]
    assert logits[0, :6].tolist() == pytest.approx(expected, abs=1e-4)
    assert logits[1, :3].tolist() == pytest.approx([1.52229, -0.55273, -0.47385], abs=1e-4)
    assert logits.abs().mean().item() == pytest.approx(1.23314, abs=1e-4)


@pytest.mark.parametrize("kind", ["fine_tuned", "point_mae"])
def test_there_and_back(official, kind):
    state = getattr(official, kind)()
    model = small(encoder="point_mae" if kind == "point_mae" else "point_bert")
    report = load_official(model, state)
    assert same(to_official(model), state)
    assert (report.missing, report.unexpected, len(report.reshaped)) == ((), (), 4)


def test_tables_are_one_to_one():
    for table in known_tables():
        assert len({row.ours for row in table.rows}) == len({row.official for row in table.rows}) == len(table.rows)


def test_pre_trained_point_bert(official):
    state = official.pretrained()
    model = small()
    head = {key: model.state_dict()[key].clone() for key in HEAD}
    report = load_official(model, state)
    assert set(report.missing) == HEAD
    assert set(report.unexpected) == {"mask_token", "lm_head.weight", "lm_head.bias"}
    assert len(report.loaded) == len(model.state_dict()) - 4
    assert len(state) == len(report.loaded) + len(report.unexpected) + len(report.ignored)
    assert all(torch.equal(model.state_dict()[key], value) for key, value in head.items())
    qkv = model.encoder.stages["block_1"].attention.qkv.weight
    assert torch.equal(qkv, state["transformer_q.blocks.blocks.1.attn.qkv.weight"])
    text = str(report)
    assert "head.mlp.* (4)" in text
    assert "mask_token" in text
    assert "momentum copy" in text


def test_published_pre_trained_file_fills_160_of_164(official):
    model = create_model("point_bert", num_classes=15)
    report = load_official(model, official.pretrained(dim=384, depth=12, encoder_dim=256))
    assert len(report.loaded) == 160
    assert set(report.missing) == HEAD


def test_pre_trained_point_mae(official):
    model = small(encoder="point_mae")
    report = load_official(model, official.mae_pretrained())
    fresh = {key for key in model.state_dict() if key.startswith("head.mlp.") or ".embed.cls_" in key}
    assert set(report.missing) == fresh
    assert report.unexpected == ()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_whole_point_mae_there_and_back(official, prefix):
    state = official.mae_pretrained()
    model = create_model("point_mae_masked", num_classes=32, **{**SIZES, "encoder_dim": 24}, head="mask_decoder")
    with pytest.raises(CheckpointError, match=r"Point-MAE, pre-trained, with its decoder.*head\.depth=2"):
        load_official(model, state)
    config = replace(model.config, head=load_option("head", "mask_decoder", {"depth": 2, "heads": 3}))
    model = config.build()
    report = load_official(model, {f"{prefix}{key}": value for key, value in state.items()})
    assert (report.missing, report.unexpected, dict(report.ignored)) == ((), (), {})
    assert same(to_official(model), state)


def test_our_own_pre_training_fills_all_but_class_token_and_classifier(tmp_path):
    sizes = {**SIZES, "encoder_dim": 16}
    trained, model = create_model("point_mae_masked", **sizes), small()
    trained.save_pretrained(tmp_path)
    report = load_official(model, tmp_path)
    assert set(report.missing) == {*HEAD, *(f"encoder.stages.embed.cls_{name}" for name in ("token", "position"))}
    assert report.unexpected == ()
    assert set(report.ignored.values()) == {"decoder of the pre-training"}
    state = model.state_dict()
    taken = [key for key in trained.state_dict() if key.startswith(("encoder.", "head.norm."))]
    assert set(report.loaded) == set(taken)
    assert all(torch.equal(state[key], trained.state_dict()[key]) for key in taken)


def test_our_own_pre_training_goes_on_in_its_own_model(tmp_path):
    trained, model = (create_model("point_mae_masked", **SIZES) for _ in range(2))
    trained.save_pretrained(tmp_path)
    assert load_official(model, tmp_path).missing == ()
    assert same(model.state_dict(), trained.state_dict())


def test_the_papers_own_layout(official):
    state = official.with_llama()
    model = bridged()
    report = load_official(model, state, allow=("llama",))
    assert torch.equal(model.bridge.adapter_in.weight, state["llama_dim_mapper1.weight"])
    assert torch.equal(model.bridge.adapter_out.weight, state["llama_dim_mapper2.weight"])
    assert set(report.ignored) == {key for key in state if key.startswith("llama.")}
    assert report.missing == ()
    trained = {key: value for key, value in state.items() if not key.startswith("llama.")}
    assert same(to_official(model), trained)


def test_a_file_without_adapters_leaves_them_fresh(official):
    model = bridged()
    before = model.bridge.adapter_in.weight.clone()
    report = load_official(model, official.fine_tuned())
    assert set(report.missing) == {"bridge.adapter_in.weight", "bridge.adapter_out.weight"}
    assert torch.equal(model.bridge.adapter_in.weight, before)


def test_the_papers_file_needs_a_model_with_adapters(official):
    with pytest.raises(
        CheckpointError, match=r"no place for llama_dim_mapper1.weight, .*block_dim 256 \(the model: none\)"
    ):
        load_official(small(), official.with_llama())
    report = load_official(small(), official.with_llama(), allow=("llama_dim_mapper1", "llama_dim_mapper2", "llama"))
    assert set(report.unexpected) == {"llama_dim_mapper1.weight", "llama_dim_mapper2.weight"}


@pytest.mark.parametrize("prefix", ["module.", "base_model.", "module.base_model."])
def test_wrapper_prefixes_change_nothing(official, prefix):
    state = official.fine_tuned()
    models = [small(), small()]
    load_official(models[0], state)
    load_official(models[1], {prefix + key: value for key, value in state.items()})
    with torch.no_grad():
        assert torch.equal(*[model(cloud_batch(64)) for model in models])


def test_our_own_layout(official, tmp_path):
    model, other = small(), small()
    load_official(model, official.fine_tuned())
    model.save_pretrained(tmp_path)
    report = load_official(other, tmp_path)
    assert report.layout == "geo_lm4ve"
    assert same(other.state_dict(), model.state_dict())


def test_wrong_width_names_both_shapes_and_the_next_step(official):
    with pytest.raises(CheckpointError) as caught:
        load_official(small(), official.fine_tuned(dim=48))
    message = str(caught.value)
    assert "encoder.stages.embed.cls_token (cls_token): file (1, 1, 48), model (1, 1, 24)" in message
    assert "The checkpoint has dim 48 (the model: 24): build the model with these" in message


def test_wrong_depth_is_named(official):
    with pytest.raises(CheckpointError, match=r"no place for blocks.blocks.\*.*depth 3 \(the model: 2\)"):
        load_official(small(), official.fine_tuned(depth=3))
    with pytest.raises(CheckpointError, match=r"the file lacks encoder.stages.block_1.*depth 1 \(the model: 2\)"):
        load_official(small(), official.fine_tuned(depth=1))


def test_point_mae_file_in_a_point_bert_model_is_explained(official):
    with pytest.raises(CheckpointError, match=r"encoder_dim 24 \(the model: 16\), hidden \(256, 256\)"):
        load_official(small(), official.point_mae())


def test_more_outputs_than_classes_need_a_word(official):
    state = official.fine_tuned(classes=40)
    model = small(classes=15)
    with pytest.raises(CheckpointError, match="trained with 40 outputs, the model has 15; pass classes='slice'"):
        load_official(model, state)
    report = load_official(model, state, classes="slice")
    assert report.sliced == {"head.mlp.3.weight": (40, 15), "head.mlp.3.bias": (40, 15)}
    assert torch.equal(model.head.mlp[3].weight, state["cls_head_finetune.3.weight"][:15])
    assert "40 rows to 15" in str(report)


def test_fresh_output_layer(official):
    model = small(classes=50)
    before = model.head.mlp[3].weight.clone()
    with pytest.raises(CheckpointError, match="40 outputs, the model has 50"):
        load_official(model, official.fine_tuned(classes=40), classes="slice")
    report = load_official(model, official.fine_tuned(classes=40), classes="fresh")
    assert report.missing == ("head.mlp.3.weight", "head.mlp.3.bias")
    assert torch.equal(model.head.mlp[3].weight, before)
    assert "head.mlp.0.weight" in report.loaded


def test_unknown_value_of_classes(official):
    with pytest.raises(ValueError, match="did you mean 'slice'"):
        load_official(small(), official.fine_tuned(), classes="slices")


@pytest.mark.parametrize("missing", ["norm.weight", "blocks.blocks.1.attn.qkv.weight", "cls_head_finetune.0.bias"])
def test_an_incomplete_file_is_refused_unless_allowed(official, missing):
    state = official.fine_tuned()
    model = small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    del state[missing]
    with pytest.raises(CheckpointError, match="the file lacks") as caught:
        load_official(model, state)
    assert same(model.state_dict(), before), "a refused file changed the model"
    name = str(caught.value).split("the file lacks ")[1].split(". ")[0]
    assert load_official(model, state, allow=(name,)).missing == (name,)


def test_a_leftover_is_refused_unless_allowed(official):
    state = official.fine_tuned() | {"decoder.weight": torch.ones(2)}
    with pytest.raises(CheckpointError, match=r"no place for decoder.weight. To load the rest .* allow="):
        load_official(small(), state)
    assert load_official(small(), state, allow=("decoder",)).unexpected == ("decoder.weight",)


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(CheckpointError, match=r"holds fc.\* \(2\); known: geo_lm4ve.*; Point-BERT, pre-trained"):
        load_official(small(), {"fc.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)})


def test_no_official_names_for_a_trained_control():
    model = create_model("point_bert", block="mlp", **SIZES)
    with pytest.raises(CheckpointError, match=r"no official names for bridge\.block"):
        to_official(model)


def test_loads_into_the_models_precision(official):
    state = official.fine_tuned()
    model = small().double()
    load_official(model, state)
    assert model.head.norm.weight.dtype == torch.float64
    assert torch.equal(model.head.norm.weight.float(), state["norm.weight"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_by_name_and_file(official, tmp_path, value):
    state, model = official.fine_tuned(), small()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    state["pos_embed.0.weight"][3, 1] = value
    torch.save(state, tmp_path / "spoiled.pth")
    with pytest.raises(CheckpointError, match=r"spoiled\.pth .*pos_embed\.0\.weight holds NaN or infinite values"):
        load_official(model, tmp_path / "spoiled.pth")
    assert same(model.state_dict(), before)


def test_whole_numbers_are_no_weights(official):
    state = official.fine_tuned()
    state["norm.weight"] = state["norm.weight"].view(torch.int32)
    with pytest.raises(CheckpointError, match=r"norm\.weight is stored as torch\.int32, the model has torch\.float32"):
        load_official(small(), state)
