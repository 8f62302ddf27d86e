"""The task of questions about rooms over made-up answers, some right, some pointing at about the right box."""

from dataclasses import replace

import torch
from room_answers import ROOM_OF, SCANS, WORDS, random_answers, random_batch

from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataInfo, DataSource


class Rooms(DataSource):
    """A data set that only knows its vocabulary."""

    def __init__(self, words=WORDS, title="three rooms"):
        self.info = DataInfo(title, tuple(words), {"val": len(ROOM_OF)}, synthetic=True)

    def loader(self, split, **_):
        raise AssertionError(f"nobody reads {split}")


def build(name="scanqa", data=None, **values):
    return load_option("task", name, values).build(data or Rooms())


def scored(task, *pairs):
    """Metrics over batches, and the records, in two accumulators that are added up."""
    parts, records = [], []
    for batch, answers in pairs:
        metrics = task.metrics()
        metrics.update(answers, batch)
        parts.append(metrics.state())
        records += task.records(answers, batch)
    whole = {name: sum(part[name] for part in parts) for name in parts[0]}
    return task.metrics().compute(whole), records


def pointing(batch, answers):
    """Every third answer is right, and every other one points at about the right box."""
    scores = answers.answers.clone()
    for question in range(0, len(batch), 3):
        scores[question, batch.truth.answers[question].argmax()] += 9
    found, objects = answers.detection, batch.objects
    residuals, center = found.size_residuals.clone(), found.center.clone()
    references = answers.references.clone()
    for question in range(0, len(batch), 2):
        scan, row, proposal = ROOM_OF[question], int(batch.truth.target[question].clamp(min=0)), question
        box = objects.boxes[scan, row]
        size = found.mean_sizes[found.size_scores[scan, proposal].argmax()]
        residuals[scan, proposal, found.size_scores[scan, proposal].argmax()] = box[3:] / size - 1
        center[scan, proposal] = box[:3] + 0.12 * question * box[3:] * torch.tensor([1.0, 0, 0])
        found.objectness[scan, proposal] = torch.tensor([0.0, 9.0])
        references[question, proposal] = 9
    return replace(
        answers, answers=scores, references=references,
        detection=replace(found, center=center, size_residuals=residuals),
    )  # fmt: skip


def many(count=4):
    """Batches of one split, with what is said to them."""
    pairs = []
    for seed in range(count):
        batch = random_batch(seed)
        batch = replace(
            batch,
            index=batch.index + seed * len(batch),
            names=tuple(f"val-{seed}-{number}" for number in range(len(batch))),
            scans=tuple(f"scene{seed * SCANS + scan:04d}_00" for scan in range(SCANS)),
        )
        pairs.append((batch, pointing(batch, random_answers(batch, seed + 20))))
    return pairs
