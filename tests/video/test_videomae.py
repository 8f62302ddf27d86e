"""VideoMAE: parameters, golden numbers, positions, clips of other sizes, what is no clip."""

import pytest
import torch
from golden_clips import clip
from golden_models import golden_model

from geo_lm4ve.calls import InputError
from geo_lm4ve.classification.probe import pooled_tokens
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.pretrained import to_official
from geo_lm4ve.video.batch import VideoBatch
from geo_lm4ve.video.encoders.videomae import VideoMAEConfig

GOLDEN = {
    ("videomae_small", 0): [-2.641846, -2.481152, -0.737142, -0.030112, 2.976359, -1.776558],
    ("videomae_small", 1): [1.648541, -0.500823, -0.221595, -0.126602, -0.971884, -1.390873],
    ("videomae_base", 0): [-0.338141, -0.497881, 2.745147, -1.054840, 1.790002, 1.283723],
}
"""(Model, layers of a small LLaMA) -> the first six scores of a clip."""
BEST = {("videomae_small", 0): (59, 1.100569), ("videomae_small", 1): (153, 1.188806),
        ("videomae_base", 0): (142, 1.088825)}  # fmt: skip
"""The class with the highest score, and the mean absolute score."""
POOLED = {("videomae_small", 0): (124.7360, 19.472817, [0.822238, -0.082436, 0.875950]),
          ("videomae_small", 1): (23.2961, 19.666097, [1.624590, 1.438748, -0.174835]),
          ("videomae_base", 0): (177.6593, 27.699404, [0.917364, 1.955760, -0.093090])}  # fmt: skip
"""Length of the mean of the tokens, then that after its norm, and its first values."""
BOUNDS = {torch.float32: 1e-4, torch.float64: 5e-6}
SMALL = {"dim": 32, "depth": 2, "heads": 2, "patch": 8, "size": 32, "frames": 4}


def small(**changes):
    torch.manual_seed(0)
    return create_model("videomae_small", block="identity", num_classes=5, **{**SMALL, **changes}).eval()


def near(found, wanted, bound):
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=found.dtype), atol=bound, rtol=0)


@pytest.mark.parametrize("row", GOLDEN, ids=str)
def test_scores_are_the_official_ones(row, tmp_path):
    name, layers = row
    model, (before, after, first) = golden_model(name, 174, tmp_path / "llama", layers), POOLED[row]
    for dtype in BOUNDS if name == "videomae_small" else [torch.float32]:
        with torch.no_grad():
            tokens = model.to(dtype).tokens(clip().to(dtype))
            scores, pooled = model.head(tokens)[0], model.head.pool(tokens)[0]
        near(scores[:6], GOLDEN[row], BOUNDS[dtype])
        assert scores.argmax() == BEST[row][0]
        near(scores.abs().mean(), BEST[row][1], BOUNDS[dtype])
        near(tokens.features.mean(1).norm(), before, 1e-4)  # of which four places are known
        near(pooled.norm(), after, BOUNDS[dtype])
        near(pooled[:3], first, BOUNDS[dtype])


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        ("videomae_small", 174, 21_946_926), ("videomae_small", 400, 22_033_936),
        ("videomae_base", 174, 86_361_006), ("videomae_base", 400, 86_534_800),
    ],
)  # fmt: skip
def test_parameters_are_the_published_ones(name, classes, parameters):
    with torch.device("meta"):
        model = create_model(name, block="identity", num_classes=classes)
    assert model.count() == {"trainable": parameters, "frozen": 0}
    assert len(model.weights()) == 162


@pytest.mark.parametrize(("name", "heads"), [("videomae_small", 6), ("videomae_base", 12)])
def test_heads_are_those_of_the_published_models(name, heads):
    with torch.device("meta"):
        blocks = list(create_model(name, block="identity").encoder.stages.values())[1:]
    assert [block.attention.heads for block in blocks] == [heads] * 12
    assert [block.drop_path.rate for block in blocks[1:]] == pytest.approx([0.1 * n / 11 for n in range(1, 12)])


def test_positions_are_sines_and_cosines_of_the_number_of_a_token():
    table = VideoMAEConfig(depth=1).build().stages["embed"].get_buffer("position")
    near(table[1, :4], [0.841471, 0.540302, 0.815251, 0.579108], 1e-6)
    near(table[1567, :4], [0.608948, -0.793210, -0.975319, -0.220801], 1e-6)
    assert float(table.double().sum()) == pytest.approx(122_425.858, abs=1e-3)
    assert not [key for key in to_official(small()) if "pos" in key]


def test_keys_have_no_bias():
    attention = small().encoder.stages["block_1"].attention
    assert {name for name, _ in attention.qkv.named_parameters()} == {"weight", "q_bias", "v_bias"}
    with torch.no_grad():
        for number, name in enumerate(("q_bias", "v_bias"), 1):
            getattr(attention.qkv, name).fill_(float(number))
        found = attention.qkv(torch.zeros(1, 32))[0]
    assert found.tolist() == [1.0] * 32 + [0.0] * 32 + [2.0] * 32


def test_tubelets_stand_in_the_order_of_time_then_row_then_column():
    embed, clips = small().encoder.stages["embed"], torch.zeros(2, 3, 4, 32, 32)
    tokens = embed(VideoBatch.of(clips))
    assert tokens.spans == {"patches": (0, 32)}
    assert tokens.positions.shape == (2, 32, 3)
    assert tokens.positions[0, 0].tolist() == [0.25, 0.125, 0.125]
    assert tokens.positions[0, 1].tolist() == [0.25, 0.125, 0.375]
    assert tokens.positions[0, 16].tolist() == [0.75, 0.125, 0.125]
    clips[0, :, 2:4, 8:16, 16:24] = 1.0  # second tubelet in time, second row, third column
    changed = (embed(VideoBatch.of(clips)).features != tokens.features).any(-1)
    assert changed.nonzero().tolist() == [[0, 16 + 4 + 2]]


def test_the_head_takes_the_mean_then_the_norm_and_begins_near_zero():
    model = small()
    tokens = model.encoder(torch.randn(2, 3, 4, 32, 32))
    mean = torch.nn.functional.layer_norm(tokens.features.mean(1), (32,), eps=1e-6)
    torch.testing.assert_close(model.head.pool(tokens), mean)
    assert (model.head.reads, model.head.norm_first) == (("patches",), False)
    last = create_model("videomae_mini", block="identity", num_classes=400).head.mlp[-1].requires_grad_(False)
    assert float(last.weight.std()) == pytest.approx(2e-5, rel=0.05)
    assert not last.bias.any()


def test_a_probe_sees_what_is_pooled_before_the_norm():
    model, batch = small(), VideoBatch.random(2, 4, 32, 32)
    with torch.no_grad():
        tokens = model.tokens(batch).features
        mean, most = pooled_tokens(model, batch, (("patches", "mean"), ("patches", "max")))
    torch.testing.assert_close(mean, tokens.mean(1))
    assert torch.equal(most, tokens.amax(1))


def test_clips_of_other_sizes_count_their_own_tubelets():
    model = small()
    embed, longer = model.encoder.stages["embed"], torch.randn(2, 3, 8, 32, 32)
    bare = embed.projection(longer).flatten(2).mT
    wanted = bare + VideoMAEConfig(**{**SMALL, "frames": 8}).build().stages["embed"].get_buffer("position")
    torch.testing.assert_close(embed(VideoBatch.of(longer)).features, wanted)
    for frames in (2, 4):
        shorter = embed(VideoBatch.of(longer[:, :, :frames])).features
        torch.testing.assert_close(shorter, wanted[:, : 8 * frames])
    assert model(torch.randn(2, 3, 2, 64, 48)).shape == (2, 5)
    for frames, rows in ((3, 32), (4, 30)):
        with pytest.raises(
            ConfigError,
            match=rf"clips of {frames} x {rows} x 32 \(frames, rows, columns\) do not fall into tubelets of 2 x 8 x 8",
        ):
            model(torch.randn(2, 3, frames, rows, 32))


CALLS = {
    "one clip": (torch.rand(3, 4, 8, 8), r"add the batch axis, model\(clip\[None\]\)"),
    "frames first": (
        torch.rand(2, 4, 3, 8, 8),
        r"colours come before frames, model\(clips\.permute\(0, 2, 1, 3, 4\)\)",
    ),
    "colours last": (torch.rand(2, 4, 8, 8, 3), r"rows and columns, model\(clips\.permute\(0, 4, 1, 2, 3\)\)"),
    "frames of a clip": (torch.rand(4, 3, 8, 8), r"model\(frames\.permute\(1, 0, 2, 3\)\[None\]\)"),
    "decoded frames": (torch.zeros(4, 8, 8, 3, dtype=torch.uint8), r"model\(frames\.permute\(3, 0, 1, 2\)\[None\]\)"),
    "bytes": (torch.zeros(2, 3, 4, 8, 8, dtype=torch.uint8), "bytes become fractions by clips / 255"),
    "gray": (torch.rand(2, 1, 4, 8, 8), "three colours, frames, rows and columns"),
    "an image": (torch.rand(3, 8, 8), "three colours, frames, rows and columns"),
    "a list": ([torch.rand(3, 4, 8, 8)] * 2, r"one tensor by torch.stack\(clips\)"),
    "numbers": ([[1.0]], "numbers become a tensor"),
    "nothing": (torch.rand(0, 3, 4, 8, 8), "there are no clips"),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_batch_of_clips_is_told_what_to_write(call):
    given, words = CALLS[call]
    with pytest.raises(InputError, match=words):
        small()(given)


LINES = {
    "one clip": lambda clip: clip[None],
    "frames first": lambda clips: clips.permute(0, 2, 1, 3, 4),
    "colours last": lambda clips: clips.permute(0, 4, 1, 2, 3),
    "frames of a clip": lambda frames: frames.permute(1, 0, 2, 3)[None],
    "decoded frames": lambda frames: (frames / 255).permute(3, 0, 1, 2)[None],
}


@pytest.mark.parametrize("call", LINES)
def test_what_one_is_told_to_write_makes_a_batch(call):
    batch = VideoBatch.of(LINES[call](CALLS[call][0]))
    assert batch.clips.shape == (len(batch), 3, 4, 8, 8)


def test_a_pixel_that_is_not_finite_is_named():
    clips = torch.rand(2, 3, 4, 32, 32)
    clips[1, 2, 3, 5, 7] = torch.nan
    with pytest.raises(ValueError, match=r"clips\[1, 2, 3, 5, 7\] is not finite; repair that clip"):
        small()(clips)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": 5}, "encoder.dim 384 must be a multiple of encoder.heads 5"),
        ({"patch": 15}, "encoder.size 224 must be a multiple of encoder.patch 15"),
        ({"frames": 15}, "encoder.frames 15 must be a multiple of encoder.tubelet 2, both at least 1"),
        ({"tubelet": 0}, "encoder.frames 16 must be a multiple of encoder.tubelet 0, both at least 1"),
        ({"depth": 0}, "encoder.depth must be at least 1, not 0"),
        ({"drop_path": 1.0}, r"encoder.drop_path must be in [0, 1), not 1.0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ConfigError) as caught:
        VideoMAEConfig(**changes)
    assert words in str(caught.value)
