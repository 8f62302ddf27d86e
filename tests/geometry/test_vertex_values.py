"""Normals and colours of the vertices of PLY files: as they are, between corners, and what cannot be."""

import numpy as np
import pytest
import torch
import trimesh

from geo_lm4ve.geometry.meshes import PointsError, read_points
from geo_lm4ve.geometry.vertex_values import color_fractions, directions

BOTH = ("normal", "color")
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], "f8")
NORMALS = np.array([[0, 0, 2], [0, 3, 0], [1, 0, 0], [0, 0, 0]], "f4")
COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [51, 102, 204]], "u1")
TYPES = {"f": "float", "d": "double", "B": "uchar", "H": "ushort"}


def write_ply(path, faces=(), binary=False, **columns):
    """A PLY whose vertices have these columns, each of its own dtype."""
    columns = {"x": CORNERS[:, 0], "y": CORNERS[:, 1], "z": CORNERS[:, 2], **columns}
    table = np.rec.fromarrays(list(columns.values()), names=list(columns))
    head = ["ply", f"format {'binary_little_endian' if binary else 'ascii'} 1.0", f"element vertex {len(table)}"]
    head += [f"property {TYPES[values.dtype.char]} {name}" for name, values in columns.items()]
    if len(faces):
        head += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    content = "\n".join([*head, "end_header", ""]).encode()
    if binary:
        content += table.tobytes() + b"".join(b"\x03" + np.array(face, "<i4").tobytes() for face in faces)
    else:
        rows = [" ".join(map(str, row)) for row in table.tolist()] + [f"3 {a} {b} {c}" for a, b, c in faces]
        content += "\n".join([*rows, ""]).encode()
    path.write_bytes(content)
    return path


def carried(normals=NORMALS, colors=COLORS):
    values = {} if normals is None else dict(zip(("nx", "ny", "nz"), normals.T))
    return values if colors is None else {**values, **dict(zip(("red", "green", "blue"), colors.T))}


@pytest.mark.parametrize("binary", [False, True])
def test_points_have_their_own(tmp_path, binary):
    path = write_ply(tmp_path / "a.ply", binary=binary, **carried())
    cloud = read_points(path, kinds=BOTH)
    assert cloud.points.tolist() == CORNERS.tolist()
    assert cloud.normals.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert torch.equal(cloud.colors, torch.from_numpy(COLORS / np.float32(255)))
    plain = read_points(path)
    assert plain.normals is plain.colors is None
    assert plain.digest == cloud.digest
    assert read_points(path, kinds=("color",)).normals is None


@pytest.mark.parametrize("binary", [False, True])
def test_on_a_mesh_they_lie_between_those_of_the_corners(tmp_path, binary):
    path = write_ply(tmp_path / "a.ply", [(0, 1, 2)], binary, **carried())
    cloud = read_points(path, mesh_points=200, kinds=BOTH)
    x, y = cloud.points[:, 0], cloud.points[:, 1]
    weights = torch.stack([1 - x - y, x, y], 1)  # of the corners of this triangle
    assert torch.allclose(cloud.colors, weights, atol=1e-6)
    unnormed = weights.flip(1)  # corner 0 has the normal z, corner 1 y, corner 2 x
    assert torch.allclose(cloud.normals, unnormed / unnormed.norm(dim=1, keepdim=True), atol=1e-5)
    assert torch.equal(read_points(path, mesh_points=200).points, cloud.points)


def test_normals_that_nobody_knows_are_those_of_the_face(tmp_path):
    normals = np.array([[0, 0, 0], [np.nan, 1, 0], [0, 0, 0], [1, 0, 0]], "f4")
    path = write_ply(tmp_path / "a.ply", [(0, 1, 2)], **carried(normals, None))
    assert (read_points(path, mesh_points=20, kinds=BOTH).normals == torch.tensor([0.0, 0, 1])).all()
    points = write_ply(tmp_path / "b.ply", **carried(normals, None))
    assert read_points(points, kinds=BOTH).normals.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]]
    bare = write_ply(tmp_path / "c.ply", [(0, 1, 2)])
    assert (read_points(bare, mesh_points=20, kinds=BOTH).normals == torch.tensor([0.0, 0, 1])).all()
    assert read_points(bare, mesh_points=20, kinds=BOTH).colors is None


def test_a_ball_of_trimesh_has_smooth_normals(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=1)
    ball.export(tmp_path / "ball.ply", vertex_normal=True)
    smooth, flat = (read_points(tmp_path / "ball.ply", mesh_points=500, kinds=kinds) for kinds in (BOTH, ()))
    outward = smooth.points / smooth.points.norm(dim=1, keepdim=True)
    assert (smooth.normals * outward).sum(1).min() > 0.995 > (flat.normals * outward).sum(1).min()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (carried(np.where([[0], [1], [0], [0]], np.inf, NORMALS).astype("f4"), None), r"vertex 1 has the normal \[inf"),
        (
            carried(None, COLORS / 100),
            "vertex 0 has the color .* colors are fractions in .0, 1. or whole numbers up to",
        ),
        (carried(None, np.where(COLORS > 200, np.nan, COLORS)), "vertex 0 has the color"),
        (carried(None, COLORS.astype("u2") * 257), "vertex 0 has the color .65535, 0, 0.: colors are fractions"),
        ({"nx": NORMALS[:, 0]}, "its vertices have nx, but a normal is nx, ny, nz"),
        (
            {"blue": COLORS[:, 0], "red": COLORS[:, 0]},
            "its vertices have red and blue, but a color is red, green, blue",
        ),
    ],
)
def test_what_cannot_be_is_named_where_it_is_asked_for(tmp_path, values, text):
    path = write_ply(tmp_path / "a.ply", [(0, 1, 2)], **values)
    with pytest.raises(PointsError, match=rf"a.ply .*{text}"):
        read_points(path, kinds=BOTH)
    assert read_points(path).colors is None


@pytest.mark.parametrize("colors", [COLORS, COLORS.astype("i8"), COLORS.astype("f4"), COLORS / 255])
def test_whole_colors_count_to_255(colors):
    assert np.allclose(color_fractions(colors), COLORS / 255, atol=1e-7)


def test_directions_of_any_length():
    rows = np.array([[3e200, 0, 4e200], [0, 0, 0], [0, -1e-300, 0]])
    np.testing.assert_allclose(directions(rows), [[0.6, 0, 0.8], [0, 0, 0], [0, -1, 0]])
