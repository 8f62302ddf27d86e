"""Networks of images of transformers, and somebody's own, as encoders."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from text_models import write_model
from vision_models import HALVES, inner, write_vision

from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.files import UserError
from geo_lm4ve.images.encoders.vision_network import VisionError
from geo_lm4ve.model import Model
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_settled_on_host

RAW = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}
KINDS = {
    "vit": {"cls": (0, 1), "patches": (1, 17)},
    "deit": {"cls": (0, 1), "distillation": (1, 2), "patches": (2, 18)},
    "dinov2": {"cls": (0, 1), "patches": (1, 17)},
    "dinov2_registers": {"cls": (0, 1), "registers": (1, 4), "patches": (4, 20)},
    "clip": {"cls": (0, 1), "patches": (1, 17)},
    "clip_both": {"cls": (0, 1), "patches": (1, 17)},
    "siglip": {"patches": (0, 16)},
    "beit": {"cls": (0, 1), "patches": (1, 17)},
    "swin": {"patches": (0, 16)},
    "convnext": {"patches": (0, 16)},
}
"""By model of ``vision_models``: the spans of its tokens of 32 x 32 pixels."""
UNREAD = {
    **{kind: {"network.embeddings.mask_token"} for kind in ("dinov2", "dinov2_registers")},
    **{kind: {"network.post_layernorm.weight", "network.post_layernorm.bias"} for kind in ("clip", "clip_both")},
    "convnext": {"network.layernorm.weight", "network.layernorm.bias"},
}
"""Parameters on which no token depends: of pre-training, and of one vector for a whole image."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of each kind, written when it is asked for."""
    root, made = tmp_path_factory.mktemp("models"), {}

    def folder(kind):
        if kind not in made:
            made[kind] = write_vision(root / kind, kind, **HALVES)
        return made[kind]

    return folder


def built(source, block="mlp", head="patches", **changes):
    torch.manual_seed(0)
    return create_model("generic", source=str(source), num_classes=3, head=head, block=block, **changes)


def pictures(rows=32, columns=32, items=2):
    return torch.rand(items, 3, rows, columns, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_the_models_own_of_pixels_that_its_files_normalise(kind, folders):
    tokens = built(folders(kind), **RAW).double().eval().encoder(pictures().double())
    assert tokens.spans == KINDS[kind]
    mean, std = (torch.tensor(HALVES[key], dtype=torch.float64)[:, None, None] for key in ("image_mean", "image_std"))
    with torch.no_grad():
        hidden = inner(kind).double()(pixel_values=(pictures().double() - mean) / std).last_hidden_state
    wanted = hidden.flatten(2).mT if hidden.dim() == 4 else hidden
    torch.testing.assert_close(tokens.features, wanted, atol=1e-6, rtol=1e-6)  # the numbers of files are float32 here
    start = tokens.spans["patches"][0]
    assert not tokens.positions[:, :start].any()
    assert tokens.positions[1, start].tolist() == [0.125, 0.125]
    assert tokens.positions[1, start + 1].tolist() == [0.125, 0.375]


@pytest.mark.parametrize("kind", KINDS)
def test_images_of_another_size_make_another_grid(kind, folders):
    encoder = built(folders(kind)).eval().encoder
    tokens = encoder(pictures(64, 48))
    start, stop = tokens.spans["patches"]
    assert stop - start == 8 * 6
    assert tokens.positions[0, start + 6].tolist() == pytest.approx([1.5 / 8, 0.5 / 6])
    if kind not in ("swin", "convnext"):
        with pytest.raises(ConfigError, match="images of 36 x 32 pixels do not fall into patches of 8 x 8: crop or"):
            encoder(pictures(36, 32))


def test_pixels_come_with_imagenets_statistics_unless_it_is_said(folders):
    mean, std = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    usual, raw = (built(folders("vit"), **changes).eval() for changes in ({}, RAW))
    torch.testing.assert_close(usual((pictures() - mean) / std), raw(pictures()))
    assert usual.encoder.chosen["pixels"] == (
        "mean 0.5 0.4 0.3, std 0.5 0.25 0.2 (preprocessor_config.json); they come with mean 0.485 0.456 0.406, "
        "std 0.229 0.224 0.225"
    )


def test_data_that_are_normalised_otherwise_are_refused_before_anything_is_read():
    encoder = load_option("encoder", "generic", {"source": "nowhere"})
    assert encoder.lacks(load_option("data", "image_folder", {"root": "r"})) == ""
    other = load_option("data", "image_folder", {"root": "r", "mean": [0.5, 0.5, 0.5]})
    assert encoder.lacks(other).endswith("set encoder.mean=[0.5,0.5,0.5]")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, r"ImageNet's, assumed: there is no preprocessor_config.json"),
        ({"do_resize": True}, r"ImageNet's, assumed: preprocessor_config.json names no image_mean and image_std"),
        ({"do_normalize": False}, r"mean 0 0 0, std 1 1 1 \(not normalised, by preprocessor_config.json\)"),
        ({"image_mean": 0.5, "image_std": 0.25}, r"mean 0.5 0.5 0.5, std 0.25 0.25 0.25 \(preprocessor_config"),
        ({**HALVES, "rescale_factor": 1 / 127.5}, r"mean 0.25 0.2 0.15, std 0.25 0.125 0.1 \(preprocessor_config"),
    ],
)
def test_what_is_assumed_of_pixels_is_said(values, said, tmp_path):
    chosen = built(write_vision(tmp_path / "vit", **values)).encoder.chosen
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(chosen["pixels"])


def test_a_whole_processors_file_and_its_crop_count(tmp_path):
    folder = write_vision(tmp_path / "dinov2", "dinov2")
    processor = {**HALVES, "size": {"shortest_edge": 64}, "crop_size": {"height": 48, "width": 48}}
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": processor}))
    model = built(folder)
    assert "std 0.5 0.25 0.2 (processor_config.json)" in model.encoder.chosen["pixels"]
    assert model.encoder.chosen["tokens"] == "1 cls, 6 x 6 patches of 48 x 48 pixels"
    assert model.config.encoder.sample_batch(1).pixels.shape == (1, 3, 48, 48)


def trained(model):
    """Names of the parameters that a step reaches."""
    model(pictures()).square().mean().backward()
    reached = {name for name, value in model.named_parameters() if value.grad is not None}
    assert reached == {name for name, value in model.named_parameters() if value.requires_grad}
    return {name.removeprefix("encoder.stages.network.network.") for name in reached if name.startswith("encoder.")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_reaches_all_of_the_encoder_that_makes_tokens_or_its_updates_or_nothing(kind, folders):
    assert trained(built(folders(kind)).train()) == set()
    free = built(folders(kind), freeze=False).train()
    own = {name for name, _ in free.encoder.stages["network"].network.named_parameters()}
    reached = trained(free)
    assert own - reached == UNREAD.get(kind, set())
    assert not any("pooler" in name or "head." in name for name in own)
    assert all("lora_" in name for name in trained(built(folders(kind), freeze=False, lora_rank=2).train()))


def test_a_frozen_network_is_a_fixed_function(tmp_path):
    folder = write_vision(tmp_path / "vit")
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, "hidden_dropout_prob": 0.5}))
    frozen, free = built(folder).train(), built(folder, freeze=False).train()
    assert torch.equal(frozen.encoder(pictures()).features, frozen.encoder(pictures()).features)
    assert not torch.equal(free.encoder(pictures()).features, free.encoder(pictures()).features)
    assert torch.equal(free.eval().encoder(pictures()).features, frozen.encoder(pictures()).features)


MODES = {"frozen": {}, "lora": {"freeze": False, "lora_rank": 2}, "trained": {"freeze": False}}


@pytest.mark.parametrize("mode", MODES)
def test_a_saved_model_leaves_to_the_file_what_is_not_trained(mode, folders, tmp_path):
    model = built(folders("vit"), **MODES[mode])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 if parameter.requires_grad else 0.0)
    model.eval().save_pretrained(tmp_path / "saved")
    held = {name for name in load_file(tmp_path / "saved" / "model.safetensors") if name.startswith("encoder.")}
    own = {name for name, value in model.named_parameters() if name.startswith("encoder.") and value.requires_grad}
    assert held == own | ({"encoder.stages.network.network.reference"} if mode != "trained" else set())
    assert bool(own) == (mode != "frozen")
    again = Model.from_pretrained(tmp_path / "saved")
    assert torch.equal(again(pictures()), model(pictures()))


def test_a_model_that_was_trained_with_other_weights_says_so(folders, tmp_path):
    folder = shutil.copytree(folders("vit"), tmp_path / "vit")
    built(folder).save_pretrained(tmp_path / "saved")
    tensors = load_file(folder / "model.safetensors")
    tensors["vit.embeddings.cls_token"] += 1
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(VisionError, match=r"was trained with another network than vit: its sha256 is \w{12}… there"):
        Model.from_pretrained(tmp_path / "saved")


def test_what_is_drawn_next_does_not_depend_on_it(folders):
    config = built(folders("vit")).config.encoder
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    config.build()
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("kind", ["vit", "dinov2_registers", "clip", "swin", "convnext"])
def test_a_step_asks_no_tensor_for_a_value(kind, folders):
    model = built(folders(kind), freeze=False).train()
    assert_settled_on_host(
        model, model.config.encoder.sample_batch(2).settled(), lambda scores, batch: scores.square().mean()
    )


def test_networks_of_ones_own_make_sequences_or_maps(tmp_path):
    own = built("vision_models:OwnNetwork", head="vit", size=32, freeze=False)
    assert own.encoder(pictures()).spans == {"cls": (0, 1), "patches": (1, 17)}
    assert own.encoder(pictures()).dim == 12
    maps = built("vision_models:own_map", size=32).train()
    tokens = maps.encoder(pictures(32, 24))
    assert tokens.spans == {"patches": (0, 48)}
    assert torch.equal(tokens.features, maps.encoder(pictures(32, 24)).features)
    maps.save_pretrained(tmp_path / "saved")  # weights that came out of no file are kept, frozen or not
    assert torch.equal(Model.from_pretrained(tmp_path / "saved")(pictures()), maps.eval()(pictures()))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no_such_package:Net", "no_such_package cannot be imported .*install its package, or put its folder on"),
        ("vision_models:Nothing", "vision_models has no Nothing; name a class or function of it"),
        ("vision_models:says_nothing", "nor a function that says that it returns one: write `def build"),
        ("os:abort", "os:abort is neither a class derived from torch.nn.Module nor a function"),
        ("/no/such/folder", "/no/such/folder is neither a folder nor a repository of the hub"),
    ],
)
def test_sources_that_are_none(source, message):
    with pytest.raises(VisionError, match=message):
        built(source, size=32)


def test_a_head_that_reads_a_class_token_where_there_is_none_says_what_there_is(folders):
    with pytest.raises(UserError, match="reads the spans cls; the tokens have patches: no cls"):
        built(folders("siglip"), head="vit")(pictures())


def test_a_model_of_texts_is_none_of_images(tmp_path):
    with pytest.raises(VisionError, match=r"bert is a model of input_ids, not of images \(pixel_values\); name a"):
        built(write_model(tmp_path / "bert"))


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("config.json", {"model_type": "no_such"}, "not a model of images in the layout of transformers"),
        ("config.json", {"num_hidden_layers": 3}, r"layers.2.\S+ and 15 more of its tensors are missing"),
        ("config.json", {"num_hidden_layers": 10**9}, "its config says 1,000,000,000 layers, its files hold"),
        ("config.json", {"intermediate_size": 10**12}, "GiB can be had; its largest number is intermediate_size"),
        ("config.json", {"hidden_size": 12}, r"has the shape \[\S.*, its config says"),
        ("config.json", {"layer_norm_eps": float("nan")}, "it makes tokens that are not finite"),
        ("preprocessor_config.json", {"image_std": [0.5, 0.0, 0.5]}, r"image_std of preprocessor_config.json is \[0.5"),
        ("preprocessor_config.json", {"image_mean": [0.5]}, "image_mean of preprocessor_config.json has 1 numbers"),
        ("preprocessor_config.json", {"size": 60_000}, "images of 60,000 x 60,000 pixels, by its files, are more than"),
        ("preprocessor_config.json", {"rescale_factor": -1}, "rescale_factor of preprocessor_config.json is -1, not"),
    ],
)
def test_files_that_do_not_fit_one_another(name, changes, message, folders, tmp_path):
    folder = shutil.copytree(folders("vit"), tmp_path / "vit")
    values = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**values, **changes}))
    with pytest.raises(VisionError, match=message) as raised:
        built(folder)
    assert str(folder) in "\n".join([str(raised.value), *getattr(raised.value, "__notes__", ())])


def test_a_tensor_that_is_missing_is_named(folders, tmp_path):
    folder = shutil.copytree(folders("vit"), tmp_path / "vit")
    tensors = load_file(folder / "model.safetensors")
    del tensors["vit.encoder.layer.1.output.dense.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(VisionError, match=r"layers.1.mlp.fc2.weight and 0 more of its tensors are missing"):
        built(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lora_rank": 4}, "encoder.freeze leaves nothing to train of LoRA's updates"),
        ({"lora_rank": -1}, "encoder.lora_rank must not be negative, but is -1"),
        ({"size": 0}, "encoder.size must be at least 1, not 0"),
        ({"std": [1.0, 0.0, 1.0]}, "those of std above 0"),
        ({"mean": [0.5]}, "must be three numbers each"),
    ],
)
def test_options_that_cannot_be_meant(changes, message, folders):
    with pytest.raises(ConfigError, match=message):
        built(folders("vit"), **changes)


def test_a_network_of_ones_own_needs_a_size():
    with pytest.raises(ConfigError, match="vision_models:OwnNetwork does not say what size its images have: set enc"):
        built("vision_models:OwnNetwork")


def test_lora_names_layers_that_are_there(folders):
    with pytest.raises(VisionError, match=r"no linear layer is called qkv; there are fc1, fc2, k_proj, o_proj"):
        built(folders("vit"), freeze=False, lora_rank=2, lora_targets=["qkv"])
