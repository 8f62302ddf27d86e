import numpy as np
import pytest
from scans import ROOM, surface, write_ply

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.indoor.scannet.normals import vertex_normals
from geo_lm4ve.indoor.scannet.ply import read_ply


@pytest.fixture
def mesh():
    points, faces = surface(ROOM[1])
    colors = np.random.default_rng(0).integers(0, 256, (len(points), 3))
    return points.astype(np.float32), colors, faces.astype(np.int32)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_every_form_gives_what_was_written(tmp_path, mesh, form):
    found = read_ply(write_ply(tmp_path / "mesh.ply", *mesh, form))
    for got, wanted in zip((found.points, found.colors, found.faces), mesh):
        np.testing.assert_array_equal(got, wanted)


def test_a_mesh_without_faces_has_none(tmp_path, mesh):
    points, colors, _ = mesh
    assert read_ply(write_ply(tmp_path / "mesh.ply", points, colors, np.empty((0, 3)))).faces.shape == (0, 3)


def change(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ply\n", b"plx\n", "its first line is not 'ply'"),
        (b"element vertex 54", b"element vertex 5000000", r"'vertex' would take 80,000,000 bytes, the file has"),
        (b"element vertex 54", b"element vertex -1", "'-1' rows"),
        (b"element vertex 54", b"element corner 54", "no element 'vertex'"),
        (b"property float x", b"property float u", "no x; they need x, y, z, red, green, blue"),
        (b"property uchar red", b"property float red", "cut off|would take|must be whole"),
        (b"list uchar int", b"list float int", "the length of the list 'vertex_indices' is a float"),
        (b"end_header\n", b"end_heade!\n", "end_heade!"),
        (b"format binary_little", b"format binary_middle", "its format is 'binary_middle_endian'"),
    ],
)
def test_a_header_that_cannot_be_meant_is_named(tmp_path, mesh, old, new, message):
    path = change(write_ply(tmp_path / "mesh.ply", *mesh), old, new)
    with pytest.raises(DataError, match=message) as error:
        read_ply(path)
    assert "mesh.ply" in str(error.value)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, mesh, form):
    path = write_ply(tmp_path / "mesh.ply", *mesh, form)
    whole = path.read_bytes()
    for part in (0.3, 0.6, 0.95):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(DataError, match=r"mesh.ply is cut off, damaged or not a PLY mesh"):
            read_ply(path)


def test_faces_must_be_triangles_of_vertices_that_are_there(tmp_path, mesh):
    points, colors, faces = mesh
    with pytest.raises(DataError, match="a face has the corner 54 or 0, there are 54 vertices"):
        read_ply(write_ply(tmp_path / "mesh.ply", points, colors, np.where(faces == 53, 54, faces)))
    path = write_ply(tmp_path / "mesh.ply", *mesh)
    content = bytearray(path.read_bytes())
    content[-13] = 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="face 47 has 4 corners, not 3"):
        read_ply(path)


def test_vertices_must_be_finite_and_colours_bytes(tmp_path, mesh):
    points, colors, faces = mesh
    spoilt = points.copy()
    spoilt[7, 1] = np.nan
    with pytest.raises(DataError, match=r"vertex 7 lies at \[0.75, nan, 0.5\], not within 100000 m of the origin"):
        read_ply(write_ply(tmp_path / "mesh.ply", spoilt, colors, faces))
    with pytest.raises(DataError, match="'red' of 'vertex' holds numbers that are no uint8"):
        read_ply(write_ply(tmp_path / "mesh.ply", points, colors + np.array([256, 0, 0]), faces, "ascii"))


def test_normals_of_a_box_point_along_its_axes(mesh):
    points, _, faces = mesh
    normals = vertex_normals(points, faces)
    np.testing.assert_allclose(np.abs(normals).max(1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


def test_of_several_triangles_with_a_vertex_as_one_corner_the_last_counts():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [9, 9, 9]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3], [1, 2, 0]], np.int32)  # normals +z, +x, +z; 0 is a first corner twice
    normals = vertex_normals(points, faces)
    np.testing.assert_allclose(normals[0], np.array([1, 0, 1]) / np.sqrt(2), atol=1e-6)
    np.testing.assert_allclose(normals[1], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(normals[4], 0)
