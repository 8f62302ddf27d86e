import numpy as np
import pytest

from geo_lm4ve.geometry.mesh_normals import corner_normals, face_normals
from geo_lm4ve.geometry.solids.mesh import box, circle, cylinder, tube


def ring():
    return tube(np.column_stack([circle(1, 48), np.zeros(48)]), 0.3, closed=True, segments=48)


def test_faces_of_a_box_look_along_the_axes():
    normals = face_normals(box(1, 2, 3))
    assert np.sort(np.abs(normals), 1).tolist() == [[0, 0, 1]] * 12


def test_edges_of_a_box_stay_edges():
    mesh = box(1, 2, 3)
    assert np.array_equal(corner_normals(mesh, 40), np.repeat(face_normals(mesh)[:, None], 3, 1))


def test_a_round_surface_has_the_normals_of_what_it_stands_for():
    mesh = ring()
    corners = mesh.vertices[mesh.faces]
    middle = corners * (1, 1, 0)
    middle /= np.linalg.norm(middle, axis=2, keepdims=True)
    cosine = np.abs(((corners - middle) / 0.3 * corner_normals(mesh, 40)).sum(2))
    flat = np.abs(((corners - middle) / 0.3 * corner_normals(mesh, 0)).sum(2))
    assert np.median(cosine) > 1 - 1e-4
    assert np.median(flat) < 1 - 1e-3


def test_the_rim_of_a_cylinder_is_an_edge_and_its_side_is_none():
    mesh = cylinder(1, 2, segments=24)
    flat, smooth = face_normals(mesh), corner_normals(mesh, 40)
    lid, side = np.abs(flat[:, 2]) > 0.5, np.abs(flat[:, :2]).sum(1) > 0.5
    assert smooth[lid] == pytest.approx(np.repeat(flat[lid, None], 3, 1))
    assert smooth[side][..., 2] == pytest.approx(0)
    assert np.abs(smooth[side] - flat[side, None]).max() > 0.05
