"""Losses of rooms with loops and plain numbers, as their official code says them."""

import math

from room_answers import OBJECTS, PROPOSALS, ROOM_OF, SCANS


def log_softmax(row):
    top = max(row)
    whole = top + math.log(sum(math.exp(value - top) for value in row))
    return [value - whole for value in row]


def huber(error):
    return error * error / 2 if abs(error) < 1 else abs(error) - 0.5


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else 0.0


def slow_vote(batch, detection):
    errors = []
    for scan in range(SCANS):
        for seed, point in enumerate(detection.seed_indices[scan].tolist()):
            if (row := int(batch.objects.instances[scan, point])) >= 0:
                own = batch.points[scan][batch.objects.instances[scan] == row]
                middle = (own.min(0).values + own.max(0).values) / 2
                errors.append(sum(abs(float(a - b)) for a, b in zip(detection.votes[scan, seed], middle)))
    return mean(errors)


def squared(one, other):
    return sum(float(a - b) ** 2 for a, b in zip(one, other))


def slow_detection(batch, detection):
    objects, found = batch.objects, {name: [] for name in ("objectness", "heading", "to", "size", "classes", "sem")}
    back, weights = [], []
    for scan in range(SCANS):
        rows = [row for row in range(OBJECTS) if objects.valid[scan, row]]
        if not rows:
            continue
        for proposal in range(PROPOSALS):
            distances = {row: squared(detection.clusters[scan, proposal], objects.boxes[scan, row, :3]) for row in rows}
            own = min(rows, key=distances.get)
            distance = math.sqrt(distances[own] + 1e-6)
            if 0.3 <= distance <= 0.6:
                continue
            near = distance < 0.3
            score = log_softmax(detection.objectness[scan, proposal].tolist())[int(near)]
            found["objectness"].append(-score * (0.8 if near else 0.2))
            weights.append(1)
            if not near:
                continue
            label = int(objects.classes[scan, own])
            center = detection.center[scan, proposal]
            found["to"].append(min(squared(center, objects.boxes[scan, row, :3]) for row in rows))
            found["heading"].append(huber(float(detection.heading_residuals[scan, proposal, 0])))
            found["classes"].append(-log_softmax(detection.size_scores[scan, proposal].tolist())[label])
            found["sem"].append(-log_softmax(detection.class_scores[scan, proposal].tolist())[label])
            wanted = objects.boxes[scan, own, 3:] / detection.mean_sizes[label] - 1
            error = detection.size_residuals[scan, proposal, label] - wanted
            found["size"].append(mean(huber(float(side)) for side in error))
        back += [
            min(squared(center, objects.boxes[scan, row, :3]) for center in detection.center[scan]) for row in rows
        ]
    box = mean(found["to"]) + mean(back) + mean(found["heading"]) + 0.1 * mean(found["classes"]) + mean(found["size"])
    return {"objectness": mean(found["objectness"]), "box": box, "semantic": mean(found["sem"])}


def slow_overlap(one, other):
    shared = 1.0
    for axis in range(3):
        low = max(one[axis] - abs(one[axis + 3]) / 2, other[axis] - abs(other[axis + 3]) / 2)
        high = min(one[axis] + abs(one[axis + 3]) / 2, other[axis] + abs(other[axis + 3]) / 2)
        shared *= max(high - low, 0.0)
    return shared / (abs(math.prod(one[3:])) + abs(math.prod(other[3:])) - shared + 1e-8)


def slow_questions(batch, answers):
    truth, found = batch.truth, {name: [] for name in ("reference", "language", "answer", "pose")}
    for question, scan in enumerate(ROOM_OF):
        if (row := int(truth.target[question])) >= 0:
            target = batch.objects.boxes[scan, row].tolist()
            overlaps = [slow_overlap(box, target) for box in answers.detection.boxes[scan].tolist()]
            scores = log_softmax(answers.references[question].tolist())
            found["reference"].append(-math.log(math.exp(scores[overlaps.index(max(overlaps))]) + 1e-8))
            label = int(batch.objects.classes[scan, row])
            found["language"].append(-log_softmax(answers.classes[question].tolist())[label])
        if any(truth.answers[question] > 0):
            pairs = zip(answers.answers[question].tolist(), truth.answers[question].tolist())
            found["answer"].append(
                sum(
                    -wanted * math.log(1 / (1 + math.exp(-score)))
                    - (1 - wanted) * math.log(1 - 1 / (1 + math.exp(-score)))
                    for score, wanted in pairs
                )
            )
        if truth.posed[question]:
            error = (answers.poses[question] - truth.poses[question]).tolist()
            found["pose"].append(mean(one**2 for one in error[:3]) + mean(one**2 for one in error[3:]))
    return {name: mean(numbers) for name, numbers in found.items()}
