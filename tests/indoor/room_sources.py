"""Scans and questions in files, prepared, and what a run sees of them."""

import torch
from scans import write_all

from geo_lm4ve.indoor.scannet.build import build
from geo_lm4ve.indoor.scannet.labels import built_in
from geo_lm4ve.indoor.scannet.making import Recipe
from geo_lm4ve.indoor.stored.questions import SCANQA, SQA3D, find_questions
from geo_lm4ve.options import load_option

LAYOUTS = {"scanqa": SCANQA, "sqa3d": SQA3D}


def prepare(folder, name):
    write_all(folder, name)
    again(folder, name)
    return folder


def again(folder, name):
    qa, scans = folder / "qa", folder / "scans"
    return build(folder / "out", find_questions(LAYOUTS[name], qa), scans, Recipe(built_in(), 300))


def source(name, folder, **how):
    return load_option("data", name, {"root": str(folder / "out"), "points": 200, **how}).build()


def train(data, epoch=0, batch_size=4, **place):
    return list(data.loader("train", batch_size=batch_size, train=True, seed=3, **place).batches(epoch))


def val(data, **how):
    return list(data.loader("val", batch_size=2, train=False, seed=3, **how).batches())


def same(one, other):
    assert torch.equal(one.points, other.points)
    assert torch.equal(one.index, other.index)
    assert (one.names, one.scans, one.room_of) == (other.names, other.scans, other.room_of)
    assert torch.equal(one.objects.boxes, other.objects.boxes)
    if one.truth.poses is not None:
        assert torch.equal(one.truth.poses, other.truth.poses)
