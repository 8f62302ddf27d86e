import zipfile

import h5py
import numpy as np
import pytest
import torch
import trimesh

from geo_lm4ve.geometry.meshes import PointsError, read_points

BOX = trimesh.creation.box(extents=(1, 2, 3))
CLOUD = np.random.default_rng(0).normal(size=(50, 3))
TRIANGLE = "3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"


@pytest.mark.parametrize("suffix", ["off", "ply", "obj", "stl"])
def test_meshes_are_sampled_over_their_surface(tmp_path, suffix):
    path = tmp_path / f"box.{suffix}"
    BOX.export(path)
    cloud = read_points(path, mesh_points=500)
    assert cloud.points.shape == cloud.normals.shape == (500, 3)
    assert cloud.points.dtype == torch.float32
    on_face = (cloud.points.abs() - torch.tensor([0.5, 1, 1.5])).abs() < 1e-6
    assert on_face.any(1).all()
    assert torch.equal(cloud.normals.abs().max(1).values, torch.ones(500))
    assert torch.equal(read_points(path, mesh_points=500).points, cloud.points)
    assert not torch.equal(read_points(path, mesh_points=500, seed=1).points, cloud.points)


@pytest.mark.parametrize("header", ["OFF\n", "OFF", "OFF # comment\n"])
def test_off_files_that_miss_the_newline_after_off(tmp_path, header):
    path = tmp_path / "triangle.off"
    path.write_text(header + TRIANGLE)
    points = read_points(path, mesh_points=100).points
    assert (points.sum(1) <= 1 + 1e-6).all()
    assert (points[:, 2] == 0).all()


def test_quads_count_with_both_halves(tmp_path):
    path = tmp_path / "quad.off"
    path.write_text("OFF\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3\n")
    points = read_points(path, mesh_points=2000).points
    assert (points[:, :2].mean(0) - 0.5).abs().max() < 0.05


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.npy", lambda path: np.save(path, CLOUD)),
        ("a.npy", lambda path: np.save(path, CLOUD[None].astype("f4"))),
        ("a.txt", lambda path: np.savetxt(path, CLOUD)),
        ("a.xyz", lambda path: np.savetxt(path, CLOUD, header="x y z")),
        ("a.csv", lambda path: np.savetxt(path, CLOUD, delimiter=",")),
        ("a.ply", lambda path: trimesh.PointCloud(CLOUD).export(path)),
    ],
)
def test_point_files_are_read_as_they_are(tmp_path, name, write):
    write(tmp_path / name)
    cloud = read_points(tmp_path / name)
    np.testing.assert_allclose(cloud.points, CLOUD, rtol=1e-5, atol=1e-6)
    assert cloud.normals is None


def test_unit_columns_are_normals_and_colours_are_not(tmp_path):
    normals = CLOUD / np.linalg.norm(CLOUD, axis=1, keepdims=True)
    np.save(tmp_path / "a.npy", np.hstack([CLOUD, normals]))
    np.testing.assert_allclose(read_points(tmp_path / "a.npy").normals, normals, rtol=1e-5, atol=1e-6)
    np.save(tmp_path / "b.npy", np.hstack([CLOUD, 100 * normals]))
    assert read_points(tmp_path / "b.npy").normals is None


def test_hdf5_of_one_cloud(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"], file["normal"] = CLOUD[None], np.tile([[0, 0, 1.0]], (50, 1))
    cloud = read_points(tmp_path / "a.h5")
    assert cloud.points.shape == (50, 3)
    assert cloud.normals[7].tolist() == [0, 0, 1]


def hdf5(path, **datasets):
    with h5py.File(path, "w") as file:
        for key, value in datasets.items():
            file[key] = value


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("gone.off", lambda path: None, "there is no file"),
        ("a.las", lambda path: path.write_bytes(b"x"), r"files .las are not read; known are .off .ply"),
        ("a", lambda path: path.write_bytes(b"x"), "without a suffix"),
        ("a.off", lambda path: path.write_text("OFF\n0 0 0\n"), "empty mesh"),
        ("a.off", lambda path: path.write_text("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n"), "no faces"),
        ("a.off", lambda path: path.write_text("OFF\n" + TRIANGLE.replace("0 1 0\n", "0 nan 0\n")), "finite area"),
        (
            "a.off",
            lambda path: path.write_text("OFF\n" + TRIANGLE.replace("0 1 2", "0 1 7")),
            "the corner 7 or 0, there",
        ),
        ("a.off", lambda path: path.write_text("OFF\n" + TRIANGLE.replace("0 1 0", "2 0 0")), "finite area above 0"),
        ("a.obj", lambda path: path.write_text(""), "empty mesh"),
        ("a.ply", lambda path: path.write_text("garbage"), "Not a ply file"),
        ("a.stl", lambda path: path.write_bytes(b"\0" * 20), "a.stl"),
        ("a.npy", lambda path: np.save(path, CLOUD[:, :2]), r"shape \(points, 3 or more\), it is float64 \(50, 2\)"),
        ("a.npy", lambda path: np.save(path, np.stack([CLOUD, CLOUD])), "holds 2 clouds"),
        ("a.npy", lambda path: np.save(path, np.array([{}], dtype=object)), "holds object"),
        ("a.npy", lambda path: path.write_bytes(b"\x93NUMPY"), "cut off"),
        ("a.txt", lambda path: path.write_text("1 2 3\n4 5\n"), "changed from 3 to 2"),
        ("a.txt", lambda path: path.write_text("# x y z\n"), "it has no rows"),
        ("a.xyz", lambda path: path.write_text("1 2 3\n4 nan 6\n"), r"point 1 is \[4.0, nan, 6.0\]"),
        ("a.h5", lambda path: path.write_bytes(b"not hdf5"), "cannot be read as a mesh or point cloud .*signature"),
        ("a.h5", lambda path: hdf5(path, points=CLOUD), "no dataset 'data'"),
        ("a.h5", lambda path: hdf5(path, data=np.stack([CLOUD] * 3)), "holds 3 clouds"),
        ("a.h5", lambda path: hdf5(path, data=CLOUD, normal=CLOUD[:7]), "normals .* must agree"),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(PointsError, match=message) as caught:
        read_points(tmp_path / name)
    assert name in str(caught.value)


PLY = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\nend_header\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "cut.off",
            "OFF\n" + TRIANGLE.replace("3 1 0", "3 2 0"),
            "3 vertices and 2 faces take as many lines, there are 4",
        ),
        ("huge.off", "OFF\n1000000000000 1 0\n0 0 0\n", "take as many lines, there are 1"),
        ("back.off", "OFF\n" + TRIANGLE.replace("0 1 2", "0 1 -1"), "has the corner 1 or -1"),
        ("short.off", "OFF\n" + TRIANGLE.replace("3 0 1 2", "3 0 1"), "'3 0 1' lacks corners"),
        ("cut.ply", PLY + "0 0 0\n1 0 0\n", "4 rows of 'vertex' are declared, there are 2"),
        ("cut.stl", "solid a\nendsolid a\nsolid b\nfacet normal 0 0 1\n", "last line is not 'endsolid'"),
        ("zero.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "count from 1: 'f 0 1 2'"),
        ("far.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "has the corner 3 or 0, there are 3 vertices"),
        ("comma.csv", "1,5 2,5 3,5\n", "line 1 has commas and blanks: '1,5 2,5 3,5'"),
        ("empty.csv", "1,2,3\n1,,3\n", "empty.csv is cut off"),
        ("long.txt", "1 " * 20_000, "line 1 has 39,999 characters; a row holds one point"),
        ("float64.txt", "1 2 3\n1e300 0 0\n", r"point 1 is \[1e\+300, 0.0, 0.0\]: coordinates must be finite"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(PointsError, match=message):
        read_points(tmp_path / name)


def test_an_obj_is_read_by_itself_and_counts_back_from_the_last_vertex_so_far(tmp_path):
    lines = ("mtllib ../../secret.mtl", "v 0 0 0", "v 1 0 0", "v 0 1 0", "usemtl x", "f -3 -2 -1", "v 9 9 9", "v 9 9 8")
    (tmp_path / "a.obj").write_text("\n".join(lines))
    points = read_points(tmp_path / "a.obj", mesh_points=100).points
    assert points.max() <= 1
    assert (points[:, 2] == 0).all()


def test_tables_may_have_commas_blanks_and_a_byte_order_mark(tmp_path):
    (tmp_path / "a.csv").write_bytes("\ufeff1, 2, 3,\n4 ,5,6 # last\n".encode())
    assert read_points(tmp_path / "a.csv").points.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_too_few_points(tmp_path):
    np.save(tmp_path / "a.npy", CLOUD)
    with pytest.raises(PointsError, match="has 50 points, at least 64 are needed"):
        read_points(tmp_path / "a.npy", at_least=64)


@pytest.mark.parametrize(("suffix", "package"), [(".3mf", "lxml"), (".dae", "pycollada")])
def test_a_format_that_needs_a_package_says_which(tmp_path, monkeypatch, suffix, package):
    monkeypatch.setattr(trimesh, "available_formats", lambda: {"stl"})
    (tmp_path / f"a{suffix}").write_bytes(b"x")
    with pytest.raises(PointsError, match=rf"a{suffix}: files {suffix} need the package {package}: pip install"):
        read_points(tmp_path / f"a{suffix}")


def test_an_archive_that_becomes_too_large_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(trimesh, "available_formats", lambda: {"3mf"})
    monkeypatch.setenv("GEO_LM4VE_READ_LIMIT", "0.001")
    with zipfile.ZipFile(tmp_path / "a.3mf", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3D/3dmodel.model", bytes(2_000_000))
    with pytest.raises(PointsError, match=r"a.3mf is .*what is packed in it would take"):
        read_points(tmp_path / "a.3mf")


@pytest.mark.parametrize("suffix", ["npy", "txt"])
def test_coordinates_that_nobody_transposed_are_noticed(tmp_path, suffix):
    path, table = tmp_path / f"a.{suffix}", np.zeros((3, 200))
    np.save(path, table) if suffix == "npy" else np.savetxt(path, table)
    with pytest.raises(PointsError, match=r"has 3 rows of 200 numbers: a row holds one point; transpose them"):
        read_points(path)
