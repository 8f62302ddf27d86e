"""Average precision from bins, against VOC's way with sorted lists."""

import math
from dataclasses import replace

import pytest
import torch
from room_answers import OBJECTS, SCANS, double, one_scan, random_answers, random_batch

from geo_lm4ve.geometry.boxes import box_iou
from geo_lm4ve.indoor.metrics.finding import find
from geo_lm4ve.indoor.metrics.precision import (
    BINS,
    OVERLAPS,
    REACH,
    DetectionCounts,
    bins_of,
    class_precisions,
    find_all,
)
from geo_lm4ve.indoor.objects import CLASSES, RoomObjects


def slow_finds(detection, survivors, objects, overlap):
    """(class, confidence, whether it is a hit) of every find, scan by scan, by going down sorted lists."""
    finds = []
    probabilities = detection.objectness.double().softmax(-1)[..., 1]
    scores = probabilities[..., None] * detection.class_scores.double().softmax(-1)
    for scan in range(len(survivors)):
        kept = [p for p in range(survivors.shape[1]) if survivors[scan, p] and probabilities[scan, p] > 0.05]
        every = box_iou(detection.boxes[scan, :, None].double(), objects.boxes[scan].double()).tolist()
        for label in range(len(CLASSES)):
            own = [
                k for k in range(objects.valid.shape[1]) if objects.valid[scan, k] and objects.classes[scan, k] == label
            ]
            taken = set()
            for p in sorted(kept, key=lambda p: -scores[scan, p, label]):
                overlaps = [every[p][k] for k in own]
                best = own[overlaps.index(max(overlaps))] if own else None
                hit = best is not None and max(overlaps) > overlap and best not in taken
                if hit:
                    taken.add(best)
                finds.append((label, float(scores[scan, p, label]), hit))
    return finds


def slow_precision(finds, objects):
    """VOC's area under the envelope, one find a step; of equal confidence all at once."""
    steps, hits, seen = [(0.0, 0.0)], 0, 0
    ordered = sorted(finds, key=lambda one: -one[0])
    for place, (score, hit) in enumerate(ordered):
        hits, seen = hits + hit, seen + 1
        if place + 1 == len(ordered) or ordered[place + 1][0] != score:
            steps.append((hits / objects, hits / seen))
    area = 0.0
    for place in range(1, len(steps)):
        area += (steps[place][0] - steps[place - 1][0]) * max(precision for _, precision in steps[place:])
    return area


def counted(detection, survivors, objects, scans=None):
    counts = DetectionCounts()
    counts.update(find_all(detection, survivors, objects), objects, scans or range(len(survivors)))
    return counts.state()


def overlapping(seed):
    """Proposals with boxes like those of true objects, somewhat shifted."""
    batch = random_batch(seed)
    detection = random_answers(batch, seed + 9).detection
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, OBJECTS - 2, detection.center.shape[:2], generator=generator)
    boxes = batch.objects.boxes.gather(1, rows[..., None].expand(-1, -1, 6))
    shift = 0.15 * torch.randn((*boxes.shape[:2], 3), generator=generator)
    classes = detection.size_scores.argmax(-1)
    mean = batch.mean_sizes[classes]
    residuals = detection.size_residuals.scatter(
        2, classes[..., None, None].expand(-1, -1, 1, 3), ((boxes[..., 3:] - mean) / mean)[:, :, None]
    )
    likely = batch.objects.classes.gather(1, rows)[..., None]
    scores = detection.class_scores.scatter_add(2, likely, torch.full(likely.shape, 3.0))
    detection = replace(detection, center=boxes[..., :3] + shift, size_residuals=residuals, class_scores=scores)
    survivors = torch.rand(rows.shape, generator=generator) < 0.8
    return detection, survivors, batch.objects


@pytest.mark.parametrize("seed", range(3))
def test_precision_equals_sorting_where_each_find_has_a_bin_of_its_own(seed):
    detection, survivors, objects = overlapping(seed)
    precisions = class_precisions(counted(detection, survivors, objects))
    for place, overlap in enumerate(OVERLAPS):
        finds = slow_finds(detection, survivors, objects, overlap)
        assert 3 < sum(hit for _, _, hit in finds) < len(finds)
        for label in range(len(CLASSES)):
            own = [(score, hit) for kind, score, hit in finds if kind == label]
            true = int((objects.valid & (objects.classes == label)).sum())
            binned = [(int(bins_of(torch.tensor(score))), hit) for score, hit in own]
            if not true:
                assert math.isnan(precisions[place, label])
                continue
            assert precisions[place, label].item() == pytest.approx(slow_precision(binned, true), abs=1e-12)
            if len({score for score, _ in binned}) == len(own):
                assert precisions[place, label].item() == pytest.approx(slow_precision(own, true), abs=1e-12)


def test_the_mean_is_over_the_classes_that_occur():
    detection, survivors, objects = overlapping(0)
    state = counted(detection, survivors, objects)
    values = class_precisions(state)
    found = DetectionCounts.compute(state)
    assert found.keys() == {"map_at_025", "map_at_05"}
    assert found["map_at_025"] == pytest.approx(values[0].nanmean().item())
    assert 0 < found["map_at_05"] < found["map_at_025"] < 1
    assert int(values[0].isnan().sum()) == 18 - len(set(objects.classes[objects.valid].tolist()))


def test_scans_add_up():
    detection, survivors, objects = overlapping(1)
    counts = DetectionCounts()
    found = find_all(detection, survivors, objects)
    counts.update(found, objects, [2])
    counts.update(found, objects, [])
    counts.update(found, objects, [0, 1])
    for name, value in counted(detection, survivors, objects).items():
        assert torch.equal(counts.state()[name], value), name
    assert counts.scans == SCANS


def test_nothing_true_gives_no_score():
    assert DetectionCounts.compute(DetectionCounts().state()) == {}


def test_finds_of_one_bin_are_one_step():
    state = DetectionCounts().state()
    state["objects"][0], state["found"][0, 7], state["hits"][0, 0, 7] = 4, 8, 2
    assert class_precisions(state)[0, 0] == (2 / 4) * (2 / 8)
    state["found"][0, 9], state["hits"][0, 0, 9] = 1, 1
    assert class_precisions(state)[0, 0] == (1 / 4) * 1 + (2 / 4) * (3 / 9)


def test_a_later_better_precision_counts_for_earlier_recall():
    state = DetectionCounts().state()
    state["objects"][0] = 2
    state["found"][0, 9], state["found"][0, 7], state["hits"][0, 0, 7] = 1, 2, 2
    assert class_precisions(state)[0, 0].item() == pytest.approx(2 / 3)


def test_bins_are_finest_where_confidences_crowd():
    assert bins_of(torch.tensor([0.0, 1.0, 1e-9, 1 - 1e-9])).tolist() == [0, BINS - 1, 0, BINS - 1]
    logits = torch.linspace(-REACH + 0.01, REACH - 0.01, 900).double()
    assert bins_of(logits.sigmoid()).diff().min() > 0
    assert bins_of(torch.tensor([0.5])).item() == BINS // 2


def true_objects(boxes, classes):
    count = len(boxes)
    return RoomObjects(
        torch.tensor([boxes]), torch.tensor([classes]), torch.arange(count)[None],
        torch.ones(1, count, dtype=torch.bool), torch.full((1, 4), -1),
    )  # fmt: skip


def test_the_likeliest_proposal_of_a_box_finds_it_and_the_overlap_has_to_be_exceeded():
    objects = true_objects([[0.0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]], [3, 5])
    center = torch.tensor([[[0.0, 0, 0], [0.1, 0, 0], [1 / 3, 0, 0]]])
    objectness = torch.tensor([[[0.0, 1], [0, 2], [0, 0]]])
    detection = double(one_scan(proposals=3, center=center, objectness=objectness))
    every = torch.ones(1, 3, dtype=torch.bool)
    hits = find(detection, every, objects, 0.25).hits
    assert hits.nonzero().tolist() == [[0, 1, 3], [0, 1, 5]]
    third = torch.tensor([[False, False, True]])
    overlap = float(box_iou(detection.boxes[0, 2], objects.boxes[0, 0].double()))
    assert not find(detection, third, objects, overlap).hits.any()
    assert find(detection, third, objects, overlap - 1e-9).hits.any()
    unlikely = double(replace(detection, objectness=torch.tensor([[[3.0, 0], [3, 0], [3, 0]]])))
    assert not find(unlikely, every, objects, 0.25).counted.any()
