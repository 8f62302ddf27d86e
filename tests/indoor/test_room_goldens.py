"""ScanQA and SQA3D give the numbers of the official forward code (its float64 run), and so do their parts."""

from functools import cache
from types import SimpleNamespace

import pytest
import torch
from golden_rooms import cloud, golden_batch, golden_model, scans, words

from geo_lm4ve.geometry.boxes import box_corners

TOLERANCE = {torch.float32: 1e-4, torch.float64: 5e-6}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float32", "float64"])


@cache
def run(name, dtype):
    """What the model says of the golden rooms, and what its parts gave on the way."""
    model, seen = golden_model(name, dtype), {}
    net, fusion = model.encoder.stages.detect.votenet, model.encoder.stages.fusion
    parts = {
        "sa_1": net.backbone.sa_1,
        "sa_4": net.backbone.sa_4,
        "seeds": net.backbone,
        "votes": net.voting,
        "clusters": net.proposals.aggregation,
        "tokens": fusion,
    }
    for part, module in parts.items():
        module.register_forward_hook(lambda _, given, made, part=part: seen.update({part: made}))
    read = []
    model.encoder.stages.detect.reader.lstm.register_forward_hook(lambda _, given, made: read.append(made[0]))
    with torch.no_grad():
        answers = model(golden_batch(dtype, situated=name == "sqa3d"))
    return SimpleNamespace(model=model, answers=answers, detection=answers.detection, read=read, **seen)


def equal(found, expected, dtype):
    expected = torch.tensor(expected, dtype=torch.float64)
    assert found.shape == expected.shape
    assert (found.double() - expected).abs().max() <= TOLERANCE[dtype]


def test_the_golden_inputs_are_the_published_ones():
    points, heights = scans()
    equal(points[0, 0], [5.615173, 0.957970, 0.002678], torch.float32)
    sums = torch.cat([points[0], heights[0]], 1).double().sum(0)
    assert sums.tolist() == pytest.approx([11420.8216, 8672.1268, 2334.7616, 2332.0513], abs=1e-3)
    assert (points - heights)[:, 0, 2].tolist() == pytest.approx([0.00067757, 0.00077562], abs=1e-7)
    equal(words(9, 13).vectors[0, 0, :3], [-0.117007, -0.237066, -0.053048], torch.float64)
    equal(words(17, 11, salt=1).vectors[0, 16, :3], [0.356510, 0.226364, -0.178916], torch.float64)
    assert (cloud(16, 0) >= 0).all()


@DTYPES
@pytest.mark.parametrize("name", ["scanqa", "sqa3d"])
def test_samples_are_the_official_ones(name, dtype):
    """Also that of the first abstraction's points: the second's are those that come first."""
    made = run(name, dtype)
    assert made.sa_1.indices[:, :8].tolist() == [
        [0, 2394, 3755, 152, 555, 2201, 1746, 1139],
        [0, 323, 176, 2371, 1313, 2752, 3353, 434],
    ]
    assert made.sa_1.indices.sum() == 8_163_267
    assert torch.equal(made.detection.seed_indices, made.sa_1.indices[:, :1024])
    equal(made.detection.seeds[:, 0], [[5.615173, 0.957970, 0.002678], [0.044900, 3.328938, 0.014871]], dtype)


@DTYPES
def test_scanqas_votes(dtype):
    made = run("scanqa", dtype)
    equal(made.sa_1.features.mean((1, 2)), [0.527413, 0.541431], dtype)
    equal(made.sa_4.features.mean((1, 2)), [0.430387, 0.425241], dtype)
    equal(made.seeds.features.mean((1, 2)), [0.291117, 0.289645], dtype)
    equal(made.seeds.features[:, 0, :3], [[0.870149, 0.206296, 0], [0.780634, 0.129953, 0.057231]], dtype)
    votes = made.detection.votes
    equal(votes[0, :2], [[5.576315, 1.010345, 0.075165], [-0.071331, 5.025404, 2.511571]], dtype)
    equal(votes[1, :2], [[0.001804, 3.376121, 0.103831], [5.269173, 0.055421, 2.127190]], dtype)
    equal(votes.mean(1), [[2.630239, 2.113042, 0.694414], [2.362335, 1.889802, 0.643407]], dtype)
    features = made.votes.features[:, 0, :3]
    equal(features, [[0.128008, 0.015747, -0.016300], [0.107318, 0.004243, -0.009139]], dtype)


@DTYPES
def test_scanqas_proposals(dtype):
    made = run("scanqa", dtype)
    found, clusters = made.detection, made.clusters
    assert clusters.indices[:, :8].tolist() == [[0, 1, 2, 3, 538, 5, 6, 294], list(range(8))]
    assert clusters.indices.sum() == 113_379
    equal(clusters.features.mean((1, 2)), [0.576099, 0.622962], dtype)
    equal(clusters.features[:, 0, :3], [[0.238718, 0, 0], [1.535948, 0, 0]], dtype)
    equal(found.objectness[0, :2], [[-0.483850, -0.412182], [0.008100, -0.667892]], dtype)
    equal(found.objectness[1, :2], [[-0.485320, 0.020782], [-0.336457, -0.904194]], dtype)
    gaps = (found.objectness[..., 0] - found.objectness[..., 1]).abs().amin(1)
    assert found.is_object.sum(1).tolist() == [141, 138]
    assert gaps.tolist() == pytest.approx([0.00102, 0.00297], abs=1e-5)
    equal(found.center[:, 0], [[5.535002, 3.069542, 2.484784], [0.484755, 6.257167, 3.648630]], dtype)
    equal(found.heading_scores[:, 0, 0], [-0.387064, -1.096445], dtype)
    equal(torch.pi * found.heading_residuals[:, 0, 0], [-2.782429, -5.821262], dtype)
    assert found.size_scores[:, 0].argmax(-1).tolist() == [10, 10]
    sizes = found.size_residuals[:, 0, 0] * found.mean_sizes[0]
    equal(sizes, [[0.167889, -0.404845, 0.210981], [0.206869, -0.700085, 0.670692]], dtype)
    corners = box_corners(found.boxes[:, 0])
    equal(corners[0, [0, 6]], [[6.053815, 3.266079, 3.492842], [5.016188, 2.873005, 1.476725]], dtype)
    equal(corners[1, [0, 6]], [[0.899028, 6.391544, 4.834839], [0.070482, 6.122790, 2.462421]], dtype)
    classes = found.class_scores.argmax(-1)
    assert (classes[:, 0].tolist(), classes.sum(1).tolist()) == ([16, 4], [1590, 1566])


CLASSES = [
    [-0.112626, 1.026553, -1.533143, -0.039713, 1.669860, -0.001047, 0.033613, 0.938249, -0.004411, 1.279601, -2.146191,
     -1.604829, -0.151717, -0.090153, 1.062938, -1.716683, -1.515484, -0.216255],
    [-0.517739, 1.353410, 0.912148, 0.841874, 0.988308, -0.038839, 0.558507, 0.362585, -1.005461, 1.337842, -2.199338,
     -1.214382, 0.536629, -0.012459, -1.121127, -1.688621, -0.994288, -3.300647],
]  # fmt: skip


@DTYPES
def test_scanqas_answers(dtype):
    made = run("scanqa", dtype)
    said, read = made.answers, made.read[0]
    words_read = torch.stack([read[0, 8, :3], read[1, 12, :3]])
    equal(words_read, [[-0.028854, -0.069736, -0.017361], [0.158174, 0.102732, -0.029804]], dtype)
    references = [
        [1.173523, 0.131122, 1.157469, 0.131122, 0.131122, 1.155669],
        [0.686737, 0.131122, 0.131122, 0.131122, 0.694416, 0.131122],
    ]
    equal(said.references[:, :6], references, dtype)
    assert said.references.argmax(1).tolist() == [250, 69]
    equal(said.references.amax(1), [1.190904, 0.703287], dtype)
    equal(said.references.mean(1), [0.697286, 0.431105], dtype)
    equal(said.classes, CLASSES, dtype)
    answers = [
        [0.850291, 1.527937, -2.774478, -0.420773, -2.970398, -2.096458],
        [-1.882880, 0.889422, -3.176307, -2.213642, -2.677147, -0.216786],
    ]
    equal(said.answers[:, :6], answers, dtype)
    assert said.answers.topk(10).indices.tolist() == [
        [539, 5699, 800, 233, 4048, 6661, 8195, 2909, 4944, 569],
        [116, 4048, 800, 2360, 1458, 632, 5708, 3342, 6978, 4818],
    ]
    equal(said.answers.abs().mean(1), [1.176719, 1.259926], dtype)
    assert said.poses is None


@DTYPES
def test_sqa3ds_detection(dtype):
    made = run("sqa3d", dtype)
    found = made.detection
    equal(made.sa_1.features.mean((1, 2)), [0.424487, 0.436873], dtype)
    equal(made.sa_4.features.mean((1, 2)), [0.524217, 0.524208], dtype)
    equal(made.seeds.features.mean((1, 2)), [0.354482, 0.355292], dtype)
    equal(found.votes[0, :2], [[5.486623, 0.977550, 0.098700], [-0.140747, 4.962248, 2.543660]], dtype)
    equal(found.votes[1, :2], [[-0.090959, 3.348152, 0.120174], [5.199616, 0.000217, 2.146224]], dtype)
    equal(made.clusters.features.mean((1, 2)), [0.555075, 0.601484], dtype)
    equal(made.clusters.features[:, 0, :3], [[0.118945, 0.564653, 0], [1.326359, 1.745298, 0]], dtype)
    equal(found.objectness[0, :2], [[1.030252, -0.088113], [1.344690, 0.276663]], dtype)
    equal(found.objectness[1, :2], [[1.050672, 0.345735], [1.744717, 0.141696]], dtype)
    gaps = (found.objectness[..., 0] - found.objectness[..., 1]).abs().amin(1)
    assert found.is_object.sum(1).tolist() == [7, 2]
    assert gaps.tolist() == pytest.approx([0.0027, 0.0070], abs=1e-4)
    equal(found.center[:, 0], [[4.079062, 1.794716, -0.420349], [-1.721179, 4.675724, -0.458574]], dtype)
    corners = box_corners(found.boxes[:, 0])[:, 0]
    equal(corners, [[5.194109, 3.183173, -0.392190], [-0.709141, 5.826418, -0.732988]], dtype)


@DTYPES
def test_sqa3ds_answers(dtype):
    made = run("sqa3d", dtype)
    situation, question = made.read
    last = torch.stack([situation[0, 16, :3], situation[1, 10, :3], question[0, 8, :3], question[1, 12, :3]])
    expected = [
        [0.032895, -0.020276, -0.165493],
        [0.017044, 0.247943, -0.095971],
        [-0.036605, -0.124584, -0.084701],
        [0.131805, -0.035770, 0.035782],
    ]
    equal(last, expected, dtype)
    head, tokens, said = made.model.head, made.tokens, made.answers
    with torch.no_grad():
        of_words, of_objects = head.situation.weights(tokens.context["fused_situation"]), head.objects.weights(tokens)
    equal(of_words[:, :3], [[0.041683, 0.095954, 0.109490], [0.048905, 0.072672, 0.083905]], dtype)
    equal(of_objects.amax(1), [0.142916, 0.500178], dtype)
    assert of_objects.argmax(1).tolist() == [220, 165]
    poses = [
        [-0.331023, 1.028606, -1.751371, -0.005791, 1.880888, -0.326322, 0.788018],
        [-0.601835, -0.775090, -1.925418, 1.001367, 1.584083, -1.142283, 2.614305],
    ]
    equal(said.poses, poses, dtype)
    answers = [
        [3.301154, -1.130091, -4.464776, -3.191954, -0.249342, -4.898646],
        [2.602796, 1.157978, -3.603667, -2.508860, -1.464674, -4.904172],
    ]
    equal(said.answers[:, :6], answers, dtype)
    assert said.answers.topk(10).indices.tolist() == [
        [555, 213, 353, 536, 21, 262, 623, 291, 612, 607],
        [536, 555, 262, 682, 14, 107, 203, 539, 213, 697],
    ]
    equal(said.answers.abs().mean(1), [1.618721, 1.730575], dtype)
    assert (said.references, said.classes) == (None, None)
