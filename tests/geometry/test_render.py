import math

import numpy as np
import pytest

from geo_lm4ve.geometry.render import Camera, Light, render
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.geometry.solids.mesh import Mesh, box, lathe

RED, BLUE, GREY = np.array([[1.0, 0, 0]]), np.array([[0, 0, 1.0]]), np.full((1, 1, 3), 0.5)
EVENLY = Light(ambient=1.0)
"""Every colour is seen as it is."""


def sphere(radius=1.0, pieces=64):
    angle = np.linspace(0, np.pi, pieces + 1)
    return lathe((radius * np.column_stack([np.sin(angle), -np.cos(angle)])).tolist(), 2 * pieces)


def square(y, half=0.5):
    """Upright, across the view."""
    corners = [(-half, y, -half), (half, y, -half), (half, y, half), (-half, y, half)]
    return Mesh(np.array(corners, float), np.array([(0, 1, 2), (0, 2, 3)]))


@pytest.mark.parametrize("distance", [math.inf, 4.0, 2.0])
@pytest.mark.parametrize(("height", "width"), [(96, 96), (80, 130), (130, 80)])
def test_a_sphere_is_seen_as_the_disc_that_geometry_says(distance, height, width):
    seen = render(sphere(), RED, Camera(height, width, 4.0, distance), EVENLY, GREY)
    radius = 1 if math.isinf(distance) else distance / math.sqrt(distance**2 - 1)  # of the cone that touches it
    assert seen.coverage.sum() == pytest.approx(
        math.pi * (radius * 80 / 4 * (1.2 if height == width else 1)) ** 2, rel=0.01
    )
    row, column = np.average(np.indices(seen.coverage.shape).reshape(2, -1), axis=1, weights=seen.coverage.ravel())
    assert (row, column) == pytest.approx(((height - 1) / 2, (width - 1) / 2), abs=0.1)


@pytest.mark.parametrize("distance", [math.inf, 3.0])
@pytest.mark.parametrize("first", ["near", "far"])
def test_the_nearer_surface_wins_whatever_its_place_in_the_mesh(distance, first):
    near, far = square(-0.5, 0.3), square(0.5, 0.6)
    mesh = near + far if first == "near" else far + near
    colours = np.repeat(np.concatenate([RED, BLUE] if first == "near" else [BLUE, RED]), 2, axis=0)
    seen = render(mesh, colours, Camera(40, 40, 2.0, distance), EVENLY, GREY)
    assert seen.rgb[20, 20].tolist() == [255, 0, 0]
    assert seen.depth[20, 20] == pytest.approx(-0.5)
    assert seen.rgb[20, 28].tolist() == [0, 0, 255]
    assert seen.depth[20, 28] == pytest.approx(0.5)


def test_x_is_to_the_right_and_z_is_up():
    seen = render(square(0, 0.2).moved(x=0.5, z=0.5), RED, Camera(40, 40), EVENLY, GREY)
    rows, columns = np.nonzero(seen.mask)
    assert rows.max() < 20 <= columns.min()


@pytest.mark.parametrize("name", ["chair", "spring", "mug"])
@pytest.mark.parametrize("axis", "xyz")
def test_a_full_turn_changes_nothing(name, axis):
    mesh = SOLIDS[name](np.random.default_rng(0)).turned("z", 33).turned("x", 21).fitted(0.9)
    camera = Camera(distance=4.0)
    one, other = (render(each, RED, camera, Light(), GREY) for each in (mesh, mesh.turned(axis, 360)))
    assert np.array_equal(one.rgb, other.rgb)
    assert np.array_equal(one.coverage, other.coverage)


FLOOR = Mesh(np.array([(-5, 5, -1.0), (5, 5, -1.0), (0, -9, -1.0)]), np.array([(0, 1, 2)]))
OUT = {"right": box(1, 1, 1).moved(x=3), "below": box(1, 1, 1).moved(z=-3), "behind": box(1, 1, 1).moved(y=-30)}


@pytest.mark.parametrize("mesh", [*OUT.values(), FLOOR], ids=[*OUT, "from behind the eye"])
def test_what_is_out_of_view_leaves_the_background(mesh):
    background = np.random.default_rng(0).uniform(0, 1, (64, 64, 3))
    seen = render(mesh, RED, Camera(distance=4.0), EVENLY, background)
    assert not seen.mask.any()
    assert np.isinf(seen.depth).all()
    assert np.array_equal(seen.rgb, np.rint(255 * background).astype(np.uint8))


@pytest.mark.parametrize("angle", [0, 60, 85, 120])
@pytest.mark.parametrize("winding", [1, -1])
def test_brightness_goes_with_the_cosine_on_either_side_of_a_face(angle, winding):
    towards = (math.sin(math.radians(angle)), -math.cos(math.radians(angle)), 0.0)
    mesh = square(0)
    mesh = Mesh(mesh.vertices, mesh.faces[:, ::winding])
    seen = render(mesh, np.ones((1, 3)), Camera(), Light(towards, 0.25), GREY)
    assert seen.rgb[32, 32] == pytest.approx(255 * (0.25 + 0.75 * max(math.cos(math.radians(angle)), 0)), abs=0.5)


def test_a_pixel_that_is_half_covered_is_half_of_each_colour():
    half = 10.5 / 20  # of the width of 40 pixels: the edge runs through the middle of a pixel
    seen = render(square(0, half), np.ones((1, 3)), Camera(40, 40, 2.0), EVENLY, np.zeros((1, 1, 3)))
    assert seen.coverage[20, 30] == 0.5
    assert seen.rgb[20, 30].tolist() == [128] * 3
    assert seen.depth[20, 30] == 0
    assert seen.mask[20, 30]
    assert not seen.mask[20, 31]


def test_round_surfaces_are_smooth_and_flat_ones_are_not():
    mesh = sphere(0.9, 6)
    smooth, flat = (render(mesh, RED, Camera(), Light(), GREY, crease) for crease in (50.0, 0.0))
    assert np.array_equal(smooth.mask, flat.mask)
    shades = [len(np.unique(seen.rgb[seen.coverage == 1][:, 0])) for seen in (smooth, flat)]
    assert shades[0] > 1.5 * shades[1]
