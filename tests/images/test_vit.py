"""ViT: parameters, golden numbers, checkpoints, image sizes."""

import pytest
import torch
from golden_clips import image
from golden_models import golden_model

from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.encoders.vit import ViTConfig
from geo_lm4ve.pretrained import load_official, to_official
from geo_lm4ve.saved import CheckpointError

GOLDEN = {
    ("vit_tiny", 0): [[-0.988784, -0.808222, -1.374561, 0.470553, -0.849049, -1.336414],
                      [-0.928853, -1.039583, -1.557470, 0.802290, -1.359379, -0.937139]],
    ("vit_small", 0): [[0.587538, 1.115261, 2.212958, -0.864105, 0.286562, 1.297474],
                       [0.728543, 0.906622, 2.687627, -0.599138, -0.107791, 1.655243]],
    ("vit_tiny", 1): [[-0.234007, 1.327182, 0.925881, -1.038011, 1.330409, -1.397822],
                      [0.102137, 1.400096, 0.583423, -0.282162, 1.166443, -1.625551]],
    ("vit_small", 1): [[1.568681, 1.255608, 0.516566, -0.821137, 1.697296, -3.133207],
                       [1.269790, 1.328148, 0.740546, -1.122175, 2.083490, -3.549479]],
    ("vit_tiny", 2): [[-1.965747, 0.629704, -0.909444, 1.638368, -0.326529, -0.038592],
                      [-2.059063, 0.484284, -0.735108, 0.948071, 0.632860, -0.149717]],
}  # fmt: skip
"""(Model, layers of a small LLaMA) -> the first six scores of two images."""
MEANS = {("vit_tiny", 0): (1.107706, 1.117339), ("vit_small", 0): (1.122913, 1.126532),
         ("vit_tiny", 1): (1.105618, 1.123718), ("vit_small", 1): (1.106122, 1.088193),
         ("vit_tiny", 2): (1.161515, 1.157857)}  # fmt: skip
"""Mean absolute score of each image."""
SMALL = {"dim": 32, "depth": 2, "heads": 2, "patch": 8, "size": 32}


def small(**changes):
    torch.manual_seed(0)
    return create_model("vit_tiny", block="identity", num_classes=5, **{**SMALL, **changes}).eval()


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-4), (torch.float64, 5e-6)])
@pytest.mark.parametrize("row", GOLDEN, ids=str)
def test_scores_are_the_official_ones(row, dtype, bound, tmp_path):
    name, layers = row
    with torch.no_grad():
        scores = golden_model(name, 1000, tmp_path / "llama", layers, dtype)(image().to(dtype))
    torch.testing.assert_close(scores[:, :6], torch.tensor(GOLDEN[row], dtype=dtype), atol=bound, rtol=0)
    torch.testing.assert_close(scores.abs().mean(-1), torch.tensor(MEANS[row], dtype=dtype), atol=bound, rtol=0)


@pytest.mark.parametrize(
    ("name", "parameters"), [("vit_tiny", 5_717_416), ("vit_small", 22_050_664), ("vit_base", 86_567_656)]
)
def test_parameters_are_the_published_ones(name, parameters):
    model = create_model(name, block="identity")  # of 1,000 classes, as published
    assert model.count() == {"trainable": parameters, "frozen": 0}
    assert len(to_official(model)) == 152


def test_the_block_reads_keys_of_patches_and_a_query_of_the_class_token():
    model = small()
    tokens = model.encoder(torch.randn(2, 3, 32, 32))
    assert tokens.spans == {"cls": (0, 1), "patches": (1, 17)}
    assert tokens.positions.shape == (2, 17, 2)
    assert tokens.positions[0, 0].tolist() == [0, 0]
    assert tokens.positions[0, 1].tolist() == [0.125, 0.125]
    assert tokens.positions[0, 2].tolist() == [0.125, 0.375]
    assert model.head.reads == ("cls",)


def test_patches_stand_row_by_row():
    model = small()
    pixels = torch.zeros(1, 3, 32, 32)
    before = model.encoder.stages["embed"](ImageBatch.of(pixels)).features
    pixels[0, :, 8:16, 16:24] = 1.0  # second row, third column
    changed = (model.encoder.stages["embed"](ImageBatch.of(pixels)).features != before).any(-1)[0]
    assert changed.nonzero()[:, 0].tolist() == [1 + 4 + 2]


def test_other_sizes_take_positions_between_the_trained_ones():
    model = small()
    embed = model.encoder.stages["embed"]
    assert torch.equal(embed.positions_for((4, 4)), embed.position)
    with torch.no_grad():
        embed.position[:, 1:] = torch.linspace(0, 1, 4).repeat_interleave(4)[None, :, None]  # grows with the row
    between = embed.positions_for((8, 6))[0, 1:].reshape(8, 6, -1)
    assert torch.equal(embed.positions_for((8, 6))[:, :1], embed.position[:, :1])
    torch.testing.assert_close(between, between[:, :1].expand_as(between))
    assert (between.diff(dim=0) > 0).all()
    assert model(torch.randn(2, 3, 64, 48)).shape == (2, 5)
    with pytest.raises(ConfigError, match=r"images of 30 x 32 pixels do not fall into patches of 8 x 8: crop"):
        model(torch.randn(2, 3, 30, 32))


def test_weights_go_to_official_names_and_back():
    model, other = small(), create_model("vit_tiny", block="identity", num_classes=5, **SMALL)
    report = load_official(other, to_official(model))
    assert report.missing == ()
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_a_file_of_another_size_names_the_keys():
    state = to_official(small())
    with pytest.raises(CheckpointError, match=r"encoder.dim=32, encoder.depth=2, encoder.patch=8, encoder.size=32"):
        load_official(create_model("vit_tiny", block="identity", num_classes=5), state)
    with pytest.raises(CheckpointError, match=r"was trained with 5 outputs, the model has 7"):
        load_official(create_model("vit_tiny", block="identity", num_classes=7, **SMALL), state)


CALLS = {
    "one image": (torch.rand(3, 8, 8), r"add the batch axis, model\(pixels\[None\]\)"),
    "colours last": (torch.rand(2, 8, 8, 3), "colours come before rows and columns"),
    "bytes": (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "bytes become fractions"),
    "gray": (torch.rand(2, 1, 8, 8), "three colours, rows and columns"),
    "a list": ([torch.rand(3, 8, 8)] * 2, r"one tensor by torch.stack\(images\)"),
    "numbers": ([[1.0]], "numbers become a tensor"),
    "nothing": (torch.rand(0, 3, 8, 8), "there are no images"),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_batch_of_images_is_told_what_to_write(call):
    given, words = CALLS[call]
    with pytest.raises(InputError, match=words):
        small()(given)


def test_a_pixel_that_is_not_finite_is_named():
    pixels = torch.rand(2, 3, 32, 32)
    pixels[1, 2, 5, 7] = torch.nan
    with pytest.raises(ValueError, match=r"pixels\[1, 2, 5, 7\] is not finite"):
        small()(pixels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": 5}, "encoder.dim 384 must be a multiple of encoder.heads 5"),
        ({"patch": 15}, "encoder.size 224 must be a multiple of encoder.patch 15"),
        ({"depth": 0}, "encoder.depth must be at least 1, not 0"),
        ({"drop_path": 1.0}, r"encoder.drop_path must be in [0, 1), not 1.0"),
        ({"mlp_ratio": 0.001}, "encoder.mlp_ratio 0.001 leaves no hidden units"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ConfigError) as caught:
        ViTConfig(**changes)
    assert words in str(caught.value)
