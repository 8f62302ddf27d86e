import base64
import json
import struct

import numpy as np
import pytest
import torch
import trimesh
from trimesh.transformations import rotation_matrix, translation_matrix

from geo_lm4ve.geometry.gltf import read_gltf
from geo_lm4ve.geometry.meshes import PointsError, read_points
from geo_lm4ve.testing import assert_equal_up_to_rounding

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)


def scene():
    """A box that stands in the world twice, once below itself and mirrored, and a ball."""
    box, whole = trimesh.creation.box(extents=(1, 2, 3)), trimesh.Scene()
    place = translation_matrix([5, 0, 0]) @ rotation_matrix(0.7, [1, 2, 3])
    whole.add_geometry(box, node_name="a", geom_name="box", transform=place)
    whole.add_geometry(box, node_name="b", geom_name="box", parent_node_name="a", transform=np.diag([-1, 2, 0.5, 1]))
    whole.add_geometry(trimesh.creation.icosphere(1), transform=translation_matrix([0, 0, 9]))
    return whole


def document(**changed):
    """Two triangles in one buffer, as text."""
    data = base64.b64encode(CORNERS.tobytes()).decode()
    tables = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 5}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": 4}],
        "bufferViews": [{"buffer": 0, "byteLength": 48}],
        "buffers": [{"byteLength": 48, "uri": f"data:application/octet-stream;base64,{data}"}],
    }
    return {**tables, **changed}


def faces_of(tmp_path, **changed):
    return read_gltf(tmp_path / "a.gltf", json.dumps(document(**changed)).encode())


def part(**changed):
    return [{"primitives": [{"attributes": {"POSITION": 0}, **changed}]}]


@pytest.mark.parametrize("suffix", ["glb", "gltf"])
def test_a_scene_is_one_mesh_in_the_coordinates_of_its_world(tmp_path, suffix):
    path = tmp_path / f"model.{suffix}"
    if suffix == "glb":
        scene().export(path)
    else:
        for name, content in scene().export(file_type="gltf").items():
            (tmp_path / name).write_bytes(content)
    found = trimesh.Trimesh(*read_gltf(path, path.read_bytes()), process=False)
    expected = trimesh.load(path).to_mesh()
    assert len(found.faces) == len(expected.faces)
    for name in ("area", "volume", "bounds", "center_mass"):
        values = (torch.tensor(getattr(one, name)) for one in (found, expected))
        assert_equal_up_to_rounding(*values, dtype=torch.float32, scale=10.0)
    cloud = read_points(path, mesh_points=200)
    assert cloud.normals.shape == (200, 3)
    assert cloud.points[:, 2].max() > 8


def test_strips_and_fans_keep_their_orientation(tmp_path):
    fan = [0, 1, 3, 2]
    order = base64.b64encode(bytes(fan)).decode()
    indexed = {
        "accessors": [*document()["accessors"], {"bufferView": 1, "componentType": 5121, "type": "SCALAR", "count": 4}],
        "bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 1, "byteLength": 4}],
        "buffers": [*document()["buffers"], {"byteLength": 4, "uri": f"data:;base64,{order}"}],
    }
    for found in (faces_of(tmp_path), faces_of(tmp_path, **indexed, meshes=part(mode=6, indices=1))):
        mesh = trimesh.Trimesh(*found, process=False)
        assert mesh.area == 1
        assert (mesh.face_normals == [0, 0, 1]).all()


def test_quantised_positions_are_fractions(tmp_path):
    data = base64.b64encode(np.array([[0, 0, 0, 0], [127, 0, 0, 0], [0, -128, 0, 0]], np.int8).tobytes()).decode()
    accessor = {"bufferView": 0, "componentType": 5120, "type": "VEC3", "count": 3, "normalized": True}
    vertices, faces = faces_of(
        tmp_path, accessors=[accessor], bufferViews=[{"buffer": 0, "byteLength": 12, "byteStride": 4}],
        buffers=[{"byteLength": 12, "uri": f"data:;base64,{data}"}], meshes=part(),
        extensionsRequired=["KHR_mesh_quantization"],
    )  # fmt: skip
    assert vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, -1, 0]]
    assert faces.tolist() == [[0, 1, 2]]


def test_points_alone_are_points_and_scale_comes_before_rotation_and_translation(tmp_path):
    half = 0.5**0.5
    turned = {"mesh": 0, "translation": [10, 0, 0], "rotation": [0, 0, half, half], "scale": [2, 3, 4]}
    nodes = [{"children": [1], "translation": [0, 0, 1]}, turned]
    vertices, faces = faces_of(tmp_path, nodes=nodes, meshes=part(mode=0))
    assert len(faces) == 0
    np.testing.assert_allclose(vertices[1:3], [[10, 2, 1], [7, 0, 1]], atol=1e-12)
    (tmp_path / "points.gltf").write_text(json.dumps(document(meshes=part(mode=0))))
    assert read_points(tmp_path / "points.gltf").points.tolist() == CORNERS.tolist()


def buffer(**changed):
    return {"buffers": [{**document()["buffers"][0], **changed}]}


def accessor(**changed):
    return {"accessors": [{**document()["accessors"][0], **changed}]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"asset": {"version": "1.0"}}, "it is glTF 1.0, only glTF 2 is read"),
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "needs the extension KHR_draco_mesh_compression"),
        (buffer(byteLength=10**12), r"buffers\[0\] would take 1,000,000,000,000 bytes, the file has 48"),
        (buffer(uri="../secret.bin"), r"lies at '\.\./secret\.bin', and only files in the same folder"),
        (buffer(uri="..%2Fsecret.bin"), "and only files in the same folder are opened"),
        (buffer(uri="/etc/passwd"), "and only files in the same folder are opened"),
        (buffer(uri="http://127.0.0.1:9/a.bin"), "and only files in the same folder are opened"),
        (buffer(uri="gone.bin"), r"gone\.bin is missing; export it again"),
        (buffer(uri="data:;base64,!!"), r"a\.gltf is cut off, damaged"),
        (accessor(count=10**12), r"accessors\[0\] would take 12,000,000,000,000 bytes, the file has 48"),
        (accessor(sparse={}), r"accessors\[0\] is sparse or compressed, which is not read: export it without"),
        (accessor(bufferView=-1), r"accessors\[0\]\.bufferView is -1"),
        ({"nodes": [{"mesh": 0, "children": [0]}], "scenes": [{"nodes": [0]}]}, r"nodes\[0\] is reached twice"),
        ({"nodes": [{"children": [2]}, {"mesh": 0}]}, r"nodes\[0\]\.children names the node 2, there are 2"),
        ({"nodes": [{"mesh": 0, "rotation": [0, 0, 0, 0]}]}, "the rotation .* is none"),
        ({"nodes": [{"mesh": 0, "matrix": [1e999] * 16}]}, "matrix is not 16 finite numbers"),
        ({"nodes": [{"mesh": 0, "scale": [1e308] * 3, "translation": [1e308] * 3, "children": []}]}, "finite"),
        ({"meshes": part()}, "has 4 corners, triangles take three each"),
        ({"meshes": part(mode=1)}, "holds lines only"),
        ({"meshes": part(mode=7)}, "mode is 7"),
        ({"meshes": []}, "a whole number from 0 to -1"),
        ({"nodes": [], "meshes": []}, r"a\.gltf is an empty mesh: it has no vertices"),
        ({"nodes": [{"mesh": 0, "scale": [0, 1, 1]}]}, "needs a finite area above 0; there are 2 faces"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changed, message):
    (tmp_path / "secret.bin").write_bytes(bytes(48))
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "a.gltf").write_text(json.dumps(document(**changed)))
    with pytest.raises(PointsError, match=message):
        read_points(folder / "a.gltf")


def test_a_mesh_that_stands_in_a_scene_too_often_is_refused_before_it_is_copied(tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_READ_LIMIT", "0.001")
    (tmp_path / "a.gltf").write_text(json.dumps(document(nodes=[{"mesh": 0}] * 1000)))
    with pytest.raises(PointsError, match=r"its scene would take 0.0 GiB, the limit is 0.00"):
        read_points(tmp_path / "a.gltf")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [(0, b"glTX", "cut off"), (4, struct.pack("<I", 1), "glTF 1"), (8, b"\xff" * 4, "the file would take 4,294,967"),
     (12, b"\xff" * 4, "a chunk would take 4,294,967,295 bytes"), (16, b"JSOX", "no chunk of JSON")],
)  # fmt: skip
def test_lengths_of_a_binary_file_are_held_against_its_size(tmp_path, place, value, message):
    path = tmp_path / "a.glb"
    content = scene().export(file_type="glb")
    path.write_bytes(content[:place] + value + content[place + len(value) :])
    with pytest.raises(PointsError, match=message):
        read_points(path)
