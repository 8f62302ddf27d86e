"""What holds of every network that answers questions about scans, at any size."""

import re
from dataclasses import fields, replace

import pytest
import torch
from room_questions import NAMES, asked, questions, said, tiny
from small_runs import experiment

from geo_lm4ve.calls import InputError
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.engine.evaluate import evaluate
from geo_lm4ve.engine.train import train
from geo_lm4ve.indoor.batch import RoomBatch
from geo_lm4ve.options import load_option
from geo_lm4ve.testing import assert_equal_up_to_rounding
from geo_lm4ve.tokens import TokenSet

ALL = pytest.mark.parametrize("name", NAMES)


def answer(model, batch):
    with torch.no_grad():
        return model(batch)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert_equal_up_to_rounding(value, expected[name])


@ALL
def test_questions_are_answered_one_by_one(name):
    """In any order, with others or alone, however long the others are."""
    model = tiny(name)
    batch = questions(model)
    whole, order = said(answer(model, batch)), [3, 0, 4, 2, 1]
    same(said(answer(model, asked(batch, order))), {key: value[order] for key, value in whole.items()})
    for row in range(len(batch)):
        same(said(answer(model, asked(batch, [row]))), {key: value[[row]] for key, value in whole.items()})


@ALL
def test_a_scan_is_looked_at_once_however_many_questions_are_about_it(name):
    model, rows = tiny(name), []
    batch = questions(model)
    model.encoder.stages.detect.votenet.backbone.register_forward_hook(
        lambda _, given, made: rows.append(len(given[0]))
    )
    once = answer(model, batch)
    assert (rows, len(batch)) == ([3], 5)
    repeated = replace(
        batch, points=batch.points[list(batch.room_of)], features=batch.features[list(batch.room_of)],
        room_of=tuple(range(5)), objects=None,
    )  # fmt: skip
    twice = answer(model, repeated)
    assert rows == [3, 5]
    same(said(twice), said(once))
    assert_equal_up_to_rounding(twice.detection.center, once.detection.center[list(batch.room_of)])


@ALL
def test_only_objects_pass_the_bridge_and_what_is_none_is_padding(name):
    model = tiny(name)
    tokens = model.tokens(questions(model))
    detection, room_of = tokens.context["detection"], tokens.context["room_of"]
    assert dict(tokens.spans) == {"objects": (0, 8)}
    assert torch.equal(tokens.valid, detection.is_object[room_of])
    assert torch.equal(tokens.positions, detection.center[room_of])
    assert 0 < tokens.valid.sum() < tokens.valid.numel()


def test_the_block_gives_the_same_whether_or_not_it_is_told_how_many_are_objects():
    model = tiny(block="random_frozen")
    with torch.no_grad():
        tokens = model.encoder(questions(model))
        found, expected = model.bridge(tokens), model.bridge(tokens.replace(known=None))
    assert tokens.known.total == (8,) * 5
    assert_equal_up_to_rounding(found.features, expected.features)
    assert not found.features[~tokens.valid].any()


def with_padding(tokens, name, extra=3):
    """More tokens of a span, which are padding and hold anything."""
    parts, spans, end = [], {}, 0
    for span in tokens.spans:
        part = tokens.select(span)
        more = extra if span == name else 0
        features = torch.cat([part.features, 100 * torch.randn(len(part.features), more, part.dim)], 1)
        parts.append((features, torch.nn.functional.pad(part.valid, (0, more))))
        spans[span] = (end, end := end + features.shape[1])
    features, valid = (torch.cat(values, 1) for values in zip(*parts))
    context = dict(tokens.context)
    if name == "objects":
        found = context["detection"]
        padded = {
            field.name: torch.cat([value, value[:, :1].expand(-1, extra, *value.shape[2:])], 1)
            for field in fields(found)
            if isinstance(value := getattr(found, field.name), torch.Tensor) and value.shape[1] == found.center.shape[1]
        }
        context["detection"] = replace(found, **padded)
    return TokenSet(features, valid, spans, context=context)


@pytest.mark.parametrize(
    ("name", "padded"),
    [(name, span) for name in NAMES for span in ("objects", "question")] + [("sqa3d_small", "situation")],
)
def test_padding_reaches_no_answer(name, padded):
    model = tiny(name)
    fusion, head = model.encoder.stages.fusion, model.head
    with torch.no_grad():
        tokens = model.encoder.stages.detect(questions(model))
        short, long = fusion(tokens), fusion(with_padding(tokens, padded))
        expected, found = said(head(short)), said(head(long))
    valid = short.valid
    assert_equal_up_to_rounding(long.features[:, :8][valid], short.features[valid])
    if "references" in found:
        found["references"] = found["references"][:, :8]
    same(found, expected)


@ALL
def test_a_scan_without_any_object_is_answered(name):
    """All proposals alike then, as ScanQA has it; no NaN, in training neither."""
    model = tiny(name)
    out = model.encoder.stages.detect.votenet.proposals.out
    with torch.no_grad():
        out.weight[:2], out.bias[:2] = 0, torch.tensor([1.0, 0.0])
    answers = model(questions(model))
    assert not answers.detection.is_object.any()
    assert torch.equal(model.head.objects.weights(model.tokens(questions(model))), torch.full((5, 8), 1 / 8))
    answers.answers.square().mean().backward()
    for value in (*said(answers).values(), *(p.grad for p in model.parameters() if p.grad is not None)):
        assert value.isfinite().all()


@ALL
def test_gradients_reach_every_layer_through_the_votes(name):
    """Not only by way of features: also along the places of votes, to which the boxes are relative."""
    model = tiny(name).train()
    answers = model(questions(model))
    (sum(value.square().sum() for value in said(answers).values()) + answers.detection.center.sum()).backward()
    for key, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
    net = model.encoder.stages.detect.votenet
    net.zero_grad()
    model(questions(model)).detection.clusters.sum().backward()
    assert net.voting.out.weight.grad[:3].any()
    assert not net.voting.out.weight.grad[3:].any()
    assert net.backbone.sa_1.mlp[0].linear.weight.grad.any()


@ALL
def test_mixed_precision_keeps_coordinates_whole(name):
    model = tiny(name)
    with torch.autocast("cpu", torch.bfloat16):
        found = answer(model, questions(model)).detection
    assert found.votes.dtype == found.center.dtype == found.objectness.dtype == torch.float32
    assert not torch.equal(found.center, found.center.bfloat16().float())


@ALL
def test_points_and_texts_are_enough(name):
    model = tiny(name, text="learned")
    points = torch.rand(2, 64, 4)
    questions = ["What is left of the bed?", ["Is it round?", "How many chairs are there?"]]
    situations = ["I sit.", ["I stand.", "I face the door."]]
    given = (points, questions, situations) if name == "sqa3d_small" else (points, questions)
    answers = answer(model, given)
    assert answers.answers.shape == (3, 5)
    assert answers.room_of.tolist() == [0, 1, 1]
    batch = RoomBatch(
        points[..., :3], points[..., 3:], ("height",), (0, 1, 1), (questions[0], *questions[1]), torch.arange(3),
        torch.ones(18, 3), situations=(situations[0], *situations[1]),
    )  # fmt: skip
    same(said(answer(model, batch)), said(answers))


POINTS = torch.rand(2, 64, 4)
CALLS = {
    "points alone": (POINTS, "put points and texts into a tuple, model((points, questions))"),
    "another number of texts": ((POINTS, ["Why?"]), "is no text or list of texts for each of 2 scans"),
    "no texts": ((POINTS, [[], []]), "is no text or list of texts for each of 2 scans"),
    "one text": ((POINTS, "Why?"), "is no text or list of texts for each of 2 scans"),
    "a situation too many": ((POINTS, ["a", "b"], ["c", "d"]), "there are 2 parts, not questions and nothing else"),
    "no heights": ((POINTS[..., :3], ["a", "b"]), "(2, 64, 3), not points (S, N, 4)"),
    "whole numbers": ((POINTS.long(), ["a", "b"]), "make the points fractions, points.float()"),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_a_model_does_not_take_is_told(call):
    given, words = CALLS[call]
    with pytest.raises(InputError) as caught:
        tiny(text="learned")(given)
    assert words in str(caught.value)
    assert 'model((torch.rand(1, 40000, 4), ["What is left of the bed?"]))' in str(caught.value)


def test_situations_are_asked_for_where_they_are_read():
    model = tiny("sqa3d_small")
    with pytest.raises(
        InputError, match="the batch has none: give a RoomBatch with situations, or take encoder=scanqa"
    ):
        model(replace(questions(model), situations=None))
    with pytest.raises(InputError, match="every question needs one situation"):
        tiny("sqa3d_small", text="learned")((POINTS, ["a", ["b", "c"]], ["d", "e"]))


def test_strings_without_a_file_of_vectors_are_told_what_is_missing():
    model = create_model("scanqa")
    with pytest.raises(Exception, match="GloVe"):
        model((torch.rand(1, 2048, 4), ["What is left of the bed?"]))


def test_features_are_taken_by_kind():
    model = tiny(features=["color", "height"])
    batch = questions(model)
    more = replace(
        batch,
        features=torch.cat([batch.features[..., :3], torch.rand(3, 32, 3), batch.features[..., 3:]], -1),
        feature_names=("color", "normal", "height"),
    )
    same(said(answer(model, more)), said(answer(model, batch)))
    with pytest.raises(InputError, match=r"no color; set data.features=\[color,height\]"):
        model(replace(batch, features=batch.features[..., 3:], feature_names=("height",)))
    bare = tiny(features=[])
    assert answer(bare, replace(batch, features=None, feature_names=())).answers.shape == (5, 5)


def test_scans_that_are_too_small_are_told_how_many_points_are_needed():
    model = tiny()
    batch = questions(model)
    with pytest.raises(ConfigError, match=r"scans of 3 points are too small for a detector that samples 32"):
        model(replace(batch, points=batch.points[:, :3], features=batch.features[:, :3], objects=None))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"heads": 3}, "encoder.hidden 128 must be a multiple of encoder.heads 3"),
        ({"seeds": 18}, "encoder.seeds must be a multiple of 4 and at least 16, not 18"),
        ({"num_proposals": 513}, "encoder.num_proposals 513 exceeds encoder.seeds 512"),
        ({"neighbours": 6}, "encoder.neighbours must be a multiple of 4, not 6"),
        ({"features": ["height", "color"]}, "in the order"),
        ({"layers": 0}, "encoder.layers must be at least 1, not 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ConfigError) as caught:
        load_option("encoder", "scanqa_small", changes)
    assert words in str(caught.value)


def test_the_papers_width():
    encoder = load_option("encoder", "sqa3d_768")
    with torch.device("meta"):
        head = load_option("head", "sqa3d").build(encoder.hidden, 706)
        built = encoder.build()
    assert built.dims == {"detect": 768, "fusion": 768}
    assert head.objects.out.weight.shape == (1536, 768)


@pytest.mark.parametrize(
    ("encoder", "data", "advice"),
    [
        ("scanqa", "scanqa", ""),
        ("scanqa", "sqa3d", ""),
        ("sqa3d", "sqa3d", ""),
        ("sqa3d", "scanqa", "data=scanqa has none: use encoder=scanqa"),
        (
            "scanqa",
            "synthetic_rooms",
            r"the encoder takes height: set data.features=\[height\] or encoder.features=\[color,height\]",
        ),
    ],
)
def test_encoder_and_data_are_compared_before_anything_is_read(encoder, data, advice):
    lacks = load_option("encoder", encoder).lacks(load_option("data", data))
    assert re.search(advice, lacks) if advice else lacks == ""


def test_a_run_announces_texts_and_proposals():
    chosen = tiny("scanqa", proposals="gt").encoder.chosen
    assert chosen == {"text": "glove (no file)", "proposals": "gt"}


def test_a_run_without_a_file_of_glove_is_refused_before_anything_is_read_or_made(tmp_path):
    data = ("synthetic_rooms", {"root": str(tmp_path / "rooms")})
    parts = {group: ("scanqa", {}) for group in ("encoder", "head", "task")}
    wanted = experiment(tmp_path, data=data, run=("default", {"root": str(tmp_path / "runs"), "split": "val"}), **parts)
    for call in (lambda: train(wanted), lambda: evaluate(wanted)):
        with pytest.raises(ConfigError, match=r"set encoder\.text_source=glove\.6B\.300d\.txt"):
            call()
    assert not (tmp_path / "rooms").exists()
    assert not (tmp_path / "runs").exists()
