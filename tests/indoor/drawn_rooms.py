"""Small scans and questions to draw."""

from dataclasses import replace

import numpy as np

from geo_lm4ve.indoor.room import Room
from geo_lm4ve.indoor.viz.asked import Activation, Asked
from geo_lm4ve.indoor.viz.html import rooms_html

EVIL = "</script><script>alert(1)</script>\u202e\x1b[31m"


def plane(rng, origin, first, second, normal, count):
    """Points strewn over a parallelogram, and its normal for each."""
    points = np.array(origin) + rng.random((count, 1)) * first + rng.random((count, 1)) * second
    return points, np.tile(np.array(normal, dtype=float), (count, 1))


def room(name="scene0000_00", *, count=600, alignment=None, seed=0):
    """A floor of 4 x 3 m and two walls that face inwards: at y = 0, and at y = 3."""
    rng = np.random.default_rng(seed)
    planes = [
        plane(rng, (0, 0, 0), (4, 0, 0), (0, 3, 0), (0, 0, 1), count),
        plane(rng, (0, 0, 0), (4, 0, 0), (0, 0, 2), (0, 1, 0), count),
        plane(rng, (0, 3, 0), (4, 0, 0), (0, 0, 2), (0, -1, 0), count),
    ]
    points, normals = (np.concatenate(parts).astype(np.float32) for parts in zip(*planes))
    return Room(
        name,
        points,
        rng.integers(0, 256, (len(points), 3)).astype(np.uint8),
        normals,
        np.full(len(points), -1, dtype=np.int32),
        np.array([[1, 1, 0.5, 1, 1, 1]], dtype=np.float32),
        np.array([4]),
        np.array([7]),
        np.array([0]),
        ("table",),
        np.eye(4) if alignment is None else alignment,
        np.zeros(3),
    )


def bare(count):
    """A scan of ``count`` points without normals."""
    points = np.random.default_rng(1).random((count, 3)).astype(np.float32)
    zeros = np.zeros_like(points)
    return Room(
        "bare", points, zeros.astype(np.uint8), zeros, np.full(count, -1, dtype=np.int32),
        np.zeros((0, 6), dtype=np.float32), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64),
        np.zeros(0, dtype=np.int64), (), np.eye(4), np.zeros(3),
    )  # fmt: skip


def asked(**changes):
    """A question with all there can be."""
    values = {
        "scan": "scene0000_00", "question": "What is left of the table?", "situation": "I face the window.",
        "said": [("a chair", 0.6), ("bed", 0.25)], "references": ["a chair", "chair"], "right": True,
        "box": (1.1, 1, 0.5, 1, 1, 1), "truth": (1, 1, 0.5, 1, 1, 1), "iou": 0.818,
        "pose": (3, 1.5, 0, 0, 0, np.sqrt(0.5), np.sqrt(0.5)), "id": "q0", "type": "what",
    }  # fmt: skip
    return Asked(**(values | changes))


def activation(count=20):
    """Proposals over the floor, every fourth of them no object."""
    rng = np.random.default_rng(2)
    objects = np.arange(count) % 4 > 0
    before, after = rng.random((2, count))
    before[~objects] = after[~objects] = np.nan
    return Activation(rng.random((count, 3)) * (4, 3, 1), objects, before, after)


def write_page(path):
    """A page of two scans with four questions: right, wrong, of which nobody knows, and a hostile one."""
    questions = [
        asked(activation=activation()),
        asked(id="q1", right=False, box=None, pose=None, question="How many chairs?", type="how"),
        asked(id="q2", right=None, scan="b", said=[], references=[], situation="", truth=None, iou=None),
        asked(id=EVIL, right=False, scan="b", question=EVIL, said=[(EVIL, 0.5)], references=[EVIL], type=EVIL),
    ]
    rooms = [room(), replace(room(seed=1), name="b")]
    rooms_html(path, rooms, questions, f"Answers {EVIL}", note=EVIL, highlights={EVIL: EVIL}, total=90)
    return path
