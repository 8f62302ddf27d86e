import numpy as np
import pytest
from drawn_rooms import activation, asked, bare, room
from matplotlib.colors import to_rgb
from PIL import Image

from geo_lm4ve.indoor.viz import colours
from geo_lm4ve.indoor.viz.activation import activation_png
from geo_lm4ve.indoor.viz.png import right_of, room_png, rooms_png, said_of
from geo_lm4ve.viz import style

EVIL = "$x_1$ </script> \u202e\x1b[31m " + "very " * 200 + "long"
MATRICES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""How linear red, green and blue look without one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1)."""


def count(path, colour):
    """Pixels of (nearly) that colour."""
    with Image.open(path) as picture:
        values = np.asarray(picture.convert("RGB"), dtype=float) / 255
    return int((np.abs(values - to_rgb(colour)).max(-1) < 0.015).sum())


def test_a_picture_shows_what_is_known_and_nothing_else(tmp_path):
    whole, partial, alone = (tmp_path / f"{name}.png" for name in ("whole", "partial", "alone"))
    room_png(whole, room(), asked(), synthetic=True)
    room_png(partial, room(), asked(box=None, pose=None, right=None, said=()))
    room_png(alone, room())
    marks = {
        path: [count(path, colour) > 150 for colour in (colours.PREDICTED, colours.TRUTH, style.RIGHT)]
        for path in (whole, partial, alone)
    }
    assert marks == {whole: [True, True, True], partial: [False, True, False], alone: [False, False, False]}


def test_longer_texts_take_more_room_and_nothing_in_them_acts(tmp_path):
    for name, text in (("short", "x"), ("long", EVIL)):
        room_png(tmp_path / f"{name}.png", bare(50), asked(question=text, situation=text, said=[(text, 1.0)], id=text))
    with Image.open(tmp_path / "short.png") as short, Image.open(tmp_path / "long.png") as long:
        assert short.width == long.width
        assert short.height < long.height < 1.2 * short.height


def test_what_was_said_and_what_is_right():
    assert said_of(asked()) == "a chair (60%)   then: bed (25%)"
    assert said_of(asked(said=[])) == "no answer"
    assert said_of(asked(said=[("", 1.0)])) == "(empty) (100%)"
    assert right_of(asked()) == "right: a chair | chair   IoU of the boxes 0.82"
    assert right_of(asked(references=[], iou=None)) == ""


def test_a_sheet_frames_what_is_right_and_what_is_wrong(tmp_path):
    path = tmp_path / "sheet.png"
    sheet = [asked(), asked(right=False, question=EVIL, references=[EVIL]), None]
    rooms_png(path, [room(), room(EVIL, seed=1), bare(3)], sheet, EVIL, columns=2)
    right, wrong = count(path, style.RIGHT), count(path, style.WRONG)
    assert right > 1000
    assert wrong == pytest.approx(right, rel=0.2)
    with Image.open(path) as picture:
        assert picture.width < picture.height
    with pytest.raises(ValueError, match="not 1 and 2"):
        rooms_png(path, [room()], [None, None], "t")
    with pytest.raises(ValueError, match="not 0 and 0"):
        rooms_png(path, [], [], "t")


def test_activation_before_and_after_share_a_scale(tmp_path):
    path, tokens = tmp_path / "activation.png", activation()
    activation_png(path, room(), asked(activation=tokens))
    strongest, weakest = style.activation_colours(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    low, high = tmp_path / "low.png", tmp_path / "high.png"
    for values, place in ((0.0, low), (1.0, high)):
        same = type(tokens)(tokens.centers, tokens.objects, np.full(20, values), np.full(20, values))
        activation_png(place, room(), asked(activation=same))
    assert count(high, strongest) > 2000 > 300 > count(low, strongest)
    assert count(low, weakest) > 1000 > 200 > count(high, weakest)
    assert count(path, colours.TRUTH) > 150
    with pytest.raises(ValueError, match="question 'q0' comes without the activation"):
        activation_png(path, room(), asked())


@pytest.mark.parametrize("kind", MATRICES)
def test_the_two_boxes_differ_for_everybody(kind):
    matrix = np.array(MATRICES[kind])
    assert np.allclose(matrix.sum(1), 1, atol=1e-5)
    boxes = np.array([to_rgb(colours.PREDICTED), to_rgb(colours.TRUTH)])
    linear = np.where(boxes <= 0.04045, boxes / 12.92, ((boxes + 0.055) / 1.055) ** 2.4)
    first, second = (linear @ matrix.T).clip(0, 1)
    assert np.linalg.norm(first - second) > 0.35
