"""Questions about scans of one's own: how a file becomes a room, and what comes out."""

import json

import numpy as np
import pytest
import torch
import trimesh
from scans import ROOM, surface, write_ply
from small_runs import experiment

from geo_lm4ve.commands.predict import questions
from geo_lm4ve.config import ConfigError
from geo_lm4ve.create import create_model
from geo_lm4ve.files import UserError
from geo_lm4ve.indoor.own_scans import GRAY, OwnScans, recipe_of, situation_of
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError

ROOMS = {"train": 2, "val": 2, "test": 2, "vertices": 3000, "points": 256}
SMALL = {"seeds": 32, "num_proposals": 8, "width": 8, "hidden": 16, "heads": 2, "neighbours": 8}
SIZES = torch.ones(18, 3)


def own(*features, situated=False, asked=("Where is it?", "How many?")):
    return OwnScans(recipe_of(256, features), SIZES, situated, [one if situated else ("", one) for one in asked])


@pytest.fixture
def kitchen(tmp_path):
    """A scan with vertices of several colours."""
    points, faces = zip(*(surface(thing, 5) for thing in ROOM))
    starts = np.cumsum([0, *map(len, points[:-1])])
    colors = np.concatenate([np.tile(thing.color, (len(one), 1)) for thing, one in zip(ROOM, points)])
    faces = np.concatenate([one + start for one, start in zip(faces, starts)])
    return write_ply(tmp_path / "kitchen.ply", np.concatenate(points), colors, faces)


def test_a_mesh_becomes_a_room_whose_points_lie_on_it_in_its_colours(kitchen):
    mesh = trimesh.load(kitchen)
    room = own().sample(kitchen)
    assert len(room) == 50_000
    lowest, highest = mesh.bounds
    assert (room.points >= lowest - 1e-5).all()
    assert (room.points <= highest + 1e-5).all()
    chair = ROOM[1]
    there = (np.abs(room.points - chair.center) <= np.array(chair.size) / 2 + 1e-4).all(1) & (room.points[:, 2] > 0.1)
    assert there.sum() > 1000
    assert (room.colors[there] == chair.color).all()
    np.testing.assert_allclose(np.linalg.norm(room.normals, axis=1), 1, atol=1e-5)
    assert len(room.boxes) == 0
    assert (room.instances == -1).all()


def test_the_first_points_of_a_file_are_not_taken_for_the_scan(tmp_path):
    rows = np.linspace(0, 8, 4000)  # a corridor, written from one end to the other
    np.save(tmp_path / "corridor.npy", np.stack([rows, 0 * rows, 0 * rows], 1))
    batch = own("height").batch([own("height").sample(tmp_path / "corridor.npy")])
    assert batch.points[0, :, 0].max() > 7.5
    assert batch.points[0, :, 0].min() < 0.5
    room = own().sample(tmp_path / "corridor.npy")
    assert (room.colors == GRAY).all()


def test_every_question_is_asked_about_every_scan(kitchen):
    scans = own("color", "height")
    rooms = [scans.sample(kitchen), scans.sample(kitchen)]
    batch = scans.batch(rooms)
    assert batch.points.shape == (2, 256, 3)
    assert batch.features.shape == (2, 256, 4)
    assert batch.room_of == (0, 0, 1, 1)
    assert batch.questions == ("Where is it?", "How many?") * 2
    assert batch.index.tolist() == [0, 1, 2, 3]
    assert batch.situations is None
    np.testing.assert_array_equal(batch.points[0].numpy(), rooms[0].points[:256])


def test_a_situation_stands_before_the_question(kitchen):
    text = "I am sitting on the bed; the door is behind me. There is a lamp. What is on my left?"
    assert situation_of(text) == (text[: text.index(" What")], "What is on my left?")
    scans = own("height", situated=True, asked=[situation_of(text)])
    batch = scans.batch([scans.sample(kitchen)])
    assert (batch.situations, batch.questions) == ((text[: text.index(" What")],), ("What is on my left?",))
    with pytest.raises(DataError, match="says no situation, which this run was trained with: ask like 'I am"):
        situation_of("What is on my left?")


def test_what_a_scan_lacks_is_named(tmp_path):
    points = np.random.default_rng(0).random((300, 3)) * 3
    np.save(tmp_path / "plain.npy", points)
    own("height").sample(tmp_path / "plain.npy")
    for kind in ("color", "normal", "multiview"):
        with pytest.raises(DataError, match=rf"plain.npy has no {kind} of its points, which this run was trained with"):
            own(kind).sample(tmp_path / "plain.npy")
    np.save(tmp_path / "few.npy", points[:20])
    with pytest.raises(DataError, match=r"few.npy"):
        own("height").sample(tmp_path / "few.npy")
    scans = own("height")
    np.save(tmp_path / "big.npy", points * 1000)
    scans.sample(tmp_path / "plain.npy")
    assert scans.remark() == ""
    scans.sample(tmp_path / "big.npy")
    assert scans.remark().startswith("far from the size of a room, if these are metres: big.npy (5")


def test_questions_come_one_by_one_or_in_a_file(tmp_path):
    (tmp_path / "asked.txt").write_text("Where is it?\n\n  How many?\n")
    assert questions("What is it?") == ["What is it?"]
    assert questions(str(tmp_path / "asked.txt")) == ["Where is it?", "How many?"]
    with pytest.raises(UserError, match=r"nothing.txt is missing; write a question per line"):
        questions(str(tmp_path / "nothing.txt"))
    with pytest.raises(UserError, match="asks nothing"):
        questions(" ")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An experiment with a saved model of made-up rooms; more fields of the encoder change it."""
    root = tmp_path_factory.mktemp("rooms")
    rooms = ("synthetic_rooms", {"root": str(root / "data"), **ROOMS})
    data = load_option("data", *rooms).build()

    def make(**more):
        encoder = {**SMALL, "features": ["color", "height"], "text": "learned"}
        torch.manual_seed(0)
        model = create_model("scanqa", num_classes=len(data.info.classes), block="identity", **encoder)
        model.classes = data.info.classes
        model.save_pretrained(root / "model")
        return experiment(
            root,
            data=rooms,
            encoder=("scanqa", {**encoder, **more}),
            block=("identity", {}),
            head=("scanqa", {}),
            task=("scanqa", {}),
            run={"checkpoint": str(root / "model")},
        )

    return make


def test_answers_are_printed_written_and_drawn(trained, kitchen, tmp_path):
    wanted, bad = trained(), tmp_path / "bad.ply"
    bad.write_text("ply\n")
    asked = ["What color is the chair?", "Where is the table?"]
    found = wanted.task.answer(wanted, None, [kitchen, bad], asked, top=3, out=tmp_path / "out")
    assert found.columns == ["file", "question", "answer 1", "answer 2", "answer 3"]
    assert [row[:2] for row in found.rows] == [[str(kitchen), question] for question in asked]
    assert "bad.ply" in found.left_out[0]
    said = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert [one["question"] for one in said] == asked
    for one, row in zip(said, found.rows):
        assert row[2].startswith(one["top"][0][0])
        assert len(one["top"]) == 10
        assert len(one["box"]) == 6
    assert (tmp_path / "out" / "rooms.png").stat().st_size > 10_000
    assert asked[1] in (tmp_path / "out" / "rooms.html").read_text()


def test_what_cannot_be_asked_says_why(trained, kitchen, tmp_path):
    wanted = trained()
    with pytest.raises(UserError, match=r"what is to be answered\? Add --ask"):
        wanted.task.predict(wanted, None, [kitchen], top=1, out=None)
    true = trained(proposals="gt")
    with pytest.raises(ConfigError, match=r"was trained with true boxes for proposals.*take a run with encoder.prop"):
        true.task.answer(true, None, [kitchen], ["Where?"], top=1, out=tmp_path)
    small = experiment(tmp_path)
    with pytest.raises(UserError, match="task=classify answers no questions: leave --ask out"):
        small.task.answer(small, None, [kitchen], ["Where?"], top=1, out=None)
    wanted.run.checkpoint = None
    with pytest.raises(UserError, match="needs a run folder with trained weights"):
        wanted.task.answer(wanted, None, [kitchen], ["Where?"], top=1, out=None)
    wanted.data.root = str(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"sizes of objects that the model was trained with are read from .*nowhere"):
        wanted.data.own()
