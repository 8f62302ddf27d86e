import numpy as np
import pytest
from drawn_rooms import asked

from geo_lm4ve.indoor.asker import AHEAD, heading
from geo_lm4ve.indoor.viz.asked import Activation
from geo_lm4ve.indoor.viz.shapes import EDGES, arrow, corners

POSE = (1.0, 2.0, 0.5)


def turned(axis, degrees):
    half = np.radians(degrees) / 2
    return (*POSE, *(np.sin(half) * np.array(axis)), np.cos(half))


def test_corners_span_the_box_whatever_the_sign_of_its_size():
    places = corners((1, 2, 3, 4, 2, 1))
    assert np.array_equal(places.min(0), [-1, 1, 2.5])
    assert np.array_equal(places.max(0), [3, 3, 3.5])
    assert np.array_equal(places[1], [3, 1, 2.5])
    assert np.array_equal(corners((1, 2, 3, -4, 2, -1)), places)


def test_an_edge_runs_along_one_axis():
    places = corners((0, 0, 0, 1, 2, 3))
    lengths = sorted(float(np.abs(places[a] - places[b]).sum()) for a, b in EDGES)
    assert lengths == [1] * 4 + [2] * 4 + [3] * 4


@pytest.mark.parametrize(
    ("axis", "degrees", "ahead"),
    [((0, 0, 1), 0, (-1, 0, 0)), ((0, 0, 1), 90, (0, -1, 0)), ((0, 0, 1), -90, (0, 1, 0)), ((0, 1, 0), 40, (-1, 0, 0))],
)
def test_the_arrow_starts_where_the_asker_stands_and_points_ahead(axis, degrees, ahead):
    outline = arrow(turned(axis, degrees))
    assert np.allclose(outline[[0, -1]].mean(0), POSE)
    tip = outline[np.linalg.norm(outline - POSE, axis=1).argmax()] - POSE
    assert np.allclose(tip / np.linalg.norm(tip), ahead)
    assert np.allclose(outline[:, 2], POSE[2])


def test_scale_and_sign_of_a_quaternion_do_not_matter_and_looking_up_is_no_direction():
    pose = np.array(turned((0, 0, 1), 33))
    scaled = np.concatenate([pose[:3], -3 * pose[3:]])
    assert np.allclose(heading(pose), heading(scaled))
    assert np.allclose(heading(turned((0, 1, 0), 90)), AHEAD)


def test_what_cannot_be_drawn_is_refused_by_name():
    with pytest.raises(ValueError, match=r"truth of question 'q0' must be 6 finite numbers, not \[1, 2\]"):
        asked(truth=(1, 2))
    with pytest.raises(ValueError, match="box of question 'q0' must be 6 finite"):
        asked(box=(0, 0, 0, 1, 1, np.nan))
    with pytest.raises(ValueError, match="zeros, which is no rotation"):
        asked(pose=(1, 2, 3, 0, 0, 0, 0))
    places, objects = np.zeros((2, 3)), np.array([True, False])
    assert Activation(places, objects, np.array([0.5, np.nan]), np.array([1.0, np.nan])).after[0] == 1
    with pytest.raises(ValueError, match=r"activation after must lie in \[0, 1\]"):
        Activation(places, ~objects, np.array([0.5, 0.5]), np.array([1.0, 1.5]))
    with pytest.raises(ValueError, match="centre of a proposal"):
        Activation(places + np.nan, objects, np.array([0.5, 0.5]), np.array([1.0, 0.5]))
