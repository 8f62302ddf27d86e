"""Answered questions shown in their rooms, and poses on their way into the frame of the points and back."""

import numpy as np
import pytest
import torch
from small_runs import experiment

from geo_lm4ve.analysis.passage import passage
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.indoor.ask.activation import activation_pictures
from geo_lm4ve.indoor.ask.places import in_annotations
from geo_lm4ve.indoor.ask.task import AnswerRoomsConfig, Asked
from geo_lm4ve.options import load_option

ROOMS = {"train": 2, "val": 2, "test": 2, "vertices": 3000, "points": 256}
SMALL = {"seeds": 32, "num_proposals": 8, "width": 8, "hidden": 16, "heads": 2, "neighbours": 8}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return str(tmp_path_factory.mktemp("rooms"))


def source(root, layout="_sqa3d"):
    return load_option("data", f"synthetic_rooms{layout}", {"root": root, **ROOMS}).build()


def answered(data, encoder):
    """The questions of val, answered by a fresh model, and their records."""
    torch.manual_seed(0)
    features = {"features": data.config.features, "text": "learned"}
    model = create_model(encoder, num_classes=len(data.info.classes), **SMALL, **features).eval()
    (batch,) = data.loader("val", batch_size=1000, train=False, seed=0).batches(0)
    protocol = Asked.sqa3d if encoder.startswith("sqa3d") else Asked.scanqa
    return AnswerRoomsConfig(protocol=protocol).build(data).records(passage(model, batch).output, batch)


@pytest.mark.parametrize(("layout", "encoder"), [("", "scanqa"), ("_sqa3d", "sqa3d")])
def test_a_source_shows_its_rooms_with_boxes_and_askers(root, layout, encoder, tmp_path):
    data = source(root, layout)
    records = answered(data, encoder)
    heading, html = data.exhibit(tmp_path, records, "val", "rooms")
    assert heading == "Rooms"
    assert "2 rooms to turn" in html
    assert f"{len(records)} questions" in html
    assert (tmp_path / "rooms.png").stat().st_size > 10_000
    assert data.questions("val")[0].text in (tmp_path / "rooms.html").read_text()
    shown = [data.asked(record, "val") for record in records]
    for one, record in zip(shown, records):
        question = data.questions("val")[record["index"]]
        assert (one.id, one.scan, one.references) == (question.id, question.scene, question.answers)
        assert (one.pose is None) == (encoder == "scanqa")
        if encoder == "scanqa" and question.object_ids:
            room = data.rooms[question.scene]
            assert one.truth == room.boxes[room.ids.tolist().index(question.object_ids[0])].tolist()
    assert data.exhibit(tmp_path, [], "val", "none") is None


def test_poses_come_back_as_the_annotations_have_them(root):
    data = source(root)
    (batch,) = data.loader("val", batch_size=1000, train=False, seed=0).batches(0)
    for pose, question in zip(batch.truth.poses.double().tolist(), data.questions("val")):
        found, wanted = in_annotations(pose, *data.frame(question.scene)), np.array(question.pose)
        np.testing.assert_allclose(found[:3], wanted[:3], atol=1e-5)
        np.testing.assert_allclose(abs(found[3:] @ wanted[3:]), 1, atol=1e-6)  # q and -q are one rotation


def test_the_activation_of_proposals_is_drawn_on_their_scans(root, tmp_path):
    answers = len(source(root, "").info.classes)
    encoder = {**SMALL, "features": ["color", "height"], "text": "learned"}
    create_model("scanqa", num_classes=answers, block="identity", **encoder).save_pretrained(tmp_path / "model")
    wanted = experiment(
        tmp_path,
        data=("synthetic_rooms", {"root": root, **ROOMS}),
        encoder=("scanqa", encoder),
        block=("identity", {}),
        head=("scanqa", {}),
        task=("scanqa", {}),
        run=("default", {"root": str(tmp_path), "split": "val", "checkpoint": str(tmp_path / "model")}),
    )
    paths = activation_pictures(wanted, None, tmp_path / "out", count=2)
    assert [path.is_file() for path in paths] == [True, True]
    with pytest.raises(ConfigError, match="unknown kind of activation 'colour'"):
        activation_pictures(wanted, None, tmp_path / "out", kind="colour")
