"""Features of points in files: of data sets, and of one's own."""

import h5py
import numpy as np
import pytest
import torch
import trimesh
from point_folders import NAMES, cloud_array, write_folder, write_hdf5, write_names

from geo_lm4ve.config import ConfigError, make
from geo_lm4ve.create import create_model
from geo_lm4ve.geometry.meshes import read_points
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.features import unit
from geo_lm4ve.points.files import read_split
from geo_lm4ve.points.stored import own_features

DATA, LABEL = cloud_array(6, 5), np.array([0, 1, 2, 2, 1, 0])
NORMAL = unit(torch.from_numpy(cloud_array(6, 5, seed=1))).numpy()
BYTES = np.random.default_rng(2).integers(0, 256, size=(6, 5, 3)).astype("u1")
INTENSITY = np.random.default_rng(3).normal(size=(6, 5)).astype("f4")


def read(tmp_path, *kinds, **datasets):
    write_hdf5(tmp_path / "ply_data_train0.h5", data=DATA, label=LABEL, **datasets)
    return read_split(tmp_path, "train", NAMES, kinds).features


@pytest.mark.parametrize("key", ["normal", "normals"])
@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_normals_are_read_at_length_one(tmp_path, key, scale):
    found = read(tmp_path, "normal", **{key: scale * NORMAL})
    assert torch.allclose(found, torch.from_numpy(NORMAL), atol=1e-6)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("key", ["color", "colors", "rgb"])
@pytest.mark.parametrize("values", [BYTES, BYTES.astype("i8"), BYTES.astype("f4"), BYTES / 255])
def test_colors_are_fractions_of_one(tmp_path, key, values):
    found = read(tmp_path, "color", **{key: values})
    assert torch.allclose(found, torch.from_numpy(BYTES / 255).float(), atol=1e-6)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1)])
def test_kinds_come_in_the_order_in_which_they_are_asked_for(tmp_path, shape):
    found = read(tmp_path, "intensity", "height", "normal", intensity=INTENSITY.reshape(shape), normal=NORMAL)
    assert torch.equal(found[..., 0], torch.from_numpy(INTENSITY))
    assert torch.allclose(found[..., 1:], torch.from_numpy(NORMAL), atol=1e-6)


def test_nothing_is_read_that_nobody_asks_for(tmp_path):
    assert read(tmp_path, normal=NORMAL[:2], color=BYTES.astype("S1")) is None
    assert read(tmp_path, "height", mask=INTENSITY) is None


def spoiled(array, index, value):
    array = array.astype("f4")
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("kind", "datasets", "text"),
    [
        (
            "normal",
            {},
            r"has no normal or normals, only 'data', 'label': leave normal out of .*\(6, 5, 3\) numbers .*'norm",
        ),
        ("intensity", {"normal": NORMAL}, r"has no intensity, only 'data', 'label', 'normal': .* \(6, 5, 1\)"),
        ("normal", {"normal": NORMAL[:, :4]}, r"'normal' must be \(6, 5, 3\), one for every point; it is \(6, 4, 3\)"),
        ("normal", {"normal": NORMAL[..., :2]}, r"it is \(6, 5, 2\)"),
        ("intensity", {"intensity": NORMAL}, r"'intensity' must be \(6, 5, 1\).* it is \(6, 5, 3\)"),
        ("normal", {"normal": spoiled(NORMAL, (3, 1, 2), np.nan)}, r"row 3, point 1 has the normal \[.*nan\]: it must"),
        ("intensity", {"intensity": spoiled(INTENSITY, (2, 4), np.inf)}, r"row 2, point 4 has the intensity \[inf\]"),
        (
            "color",
            {"color": spoiled(BYTES, (0, 3, 1), 256)},
            r"row 0, point 3 has .* colors are fractions in \[0, 1\] or",
        ),
        ("color", {"color": BYTES / 100}, r"has the color .* colors are fractions"),
        ("color", {"color": spoiled(BYTES, (5, 0, 0), np.nan)}, "has the color .*"),
    ],
)
def test_what_is_wrong_with_features_names_the_file_and_the_place(tmp_path, kind, datasets, text):
    with pytest.raises(DataError, match=text) as caught:
        read(tmp_path, kind, **datasets)
    assert "ply_data_train0.h5" in str(caught.value)


def test_a_file_of_a_split_that_lacks_a_kind_is_the_one_that_is_named(tmp_path):
    write_hdf5(tmp_path / "ply_data_train1.h5", data=DATA, label=LABEL)
    with pytest.raises(DataError, match=r"ply_data_train1.h5 has no normal"):
        read(tmp_path, "normal", normal=NORMAL)


def test_features_do_not_lie_in_other_files(tmp_path):
    write_hdf5(tmp_path / "other.h5", normal=NORMAL)
    with h5py.File(write_hdf5(tmp_path / "ply_data_train0.h5", data=DATA, label=LABEL), "a") as file:
        file["normal"] = h5py.ExternalLink("other.h5", "normal")
    with pytest.raises(DataError, match="'normal' is a link"):
        read_split(tmp_path, "train", NAMES, ("normal",))


def with_normals(root):
    """A folder whose normals are the coordinates at length 1, so that what belongs together is known."""
    write_folder(root)
    for path in root.glob("*.h5"):
        with h5py.File(path, "a") as file:
            file["normal"] = unit(torch.from_numpy(file["data"][()])).numpy()
    return root


@pytest.mark.parametrize("sampling", ["fps_random", "first", "random"])
@pytest.mark.parametrize("limit", [None, 6])
def test_normals_stay_with_their_points_on_every_road(tmp_path, sampling, limit):
    values = {"root": str(with_normals(tmp_path)), "points": 16, "sampling": sampling, "limit": limit}
    changes = {"normalize": False, "scale_low": 1.0, "scale_high": 1.0, "shift": 0.0, "features": ["normal", "height"]}
    source = make("data", "point_folder", {**values, **changes}).build()
    for split, train in (("train", True), ("val", False), ("test", False)):
        batch = next(iter(source.loader(split, batch_size=3, train=train, seed=0).batches(0)))
        assert batch.feature_names == ("normal", "height")
        assert torch.allclose(batch.features[..., :3], unit(batch.points), atol=1e-5)
        assert torch.equal(batch.features[..., 3], batch.points[..., 2] - batch.points[..., 2].amin(1, keepdim=True))
    assert source.info.title.endswith("16 points with normal and height)")


def test_normalisation_when_read_leaves_normals(tmp_path):
    values = {"root": str(with_normals(tmp_path)), "points": 16, "features": ["normal"]}
    moved, plain = (
        next(iter(make("data", "point_folder", {**values, "normalize": normalize}).build()
                  .loader("test", batch_size=11, train=False, seed=0).batches(0)))
        for normalize in (True, False)
    )  # fmt: skip
    assert not torch.allclose(moved.points, plain.points, atol=0.1)
    assert torch.equal(moved.features.sort(1).values, plain.features.sort(1).values)


@pytest.mark.parametrize("suffix", ["h5", "npy", "txt", "csv"])
def test_predict_and_evaluation_make_the_same_of_a_cloud_with_normals(tmp_path, suffix):
    root = with_normals(tmp_path / "set")
    with h5py.File(root / "ply_data_test0.h5") as file:
        data, normal = file["data"][:4], file["normal"][:4]
    files = [tmp_path / f"{row}.{suffix}" for row in range(4)]
    for path, *parts in zip(files, data, normal):
        table = np.concatenate(parts, axis=1)
        if suffix == "h5":
            write_hdf5(path, data=parts[0], normal=parts[1])
        elif suffix == "npy":
            np.save(path, table)
        else:
            np.savetxt(path, table, fmt="%.9g", delimiter="," if suffix == "csv" else " ")
    config = make("data", "point_folder", {"root": str(root), "points": 16, "features": ["height", "normal"]})
    evaluated = next(iter(config.build().loader("test", batch_size=4, train=False, seed=0).batches(0)))
    batch = config.read(files)
    assert torch.equal(batch.points, evaluated.points)
    assert torch.allclose(batch.features, evaluated.features, atol=1e-6)
    assert batch.feature_names == evaluated.feature_names


def own(tmp_path, features, name, table=None, **datasets):
    path = tmp_path / name
    if datasets:
        write_hdf5(path, **datasets)
    elif name.endswith("npy"):
        np.save(path, table)
    else:
        np.savetxt(path, table)
    return make("data", "point_folder", {"root": "", "points": 5, "sampling": "first", "features": features}).read(
        [path]
    )


def test_columns_are_the_features_in_their_order(tmp_path):
    table = np.concatenate([DATA[1], BYTES[1], NORMAL[1], INTENSITY[1][:, None]], axis=1)
    batch = own(tmp_path, ["color", "normal", "intensity"], "a.txt", table)
    assert torch.allclose(
        batch.features[0], torch.from_numpy(np.concatenate([BYTES[1] / 255, table[:, 6:]], 1)).float()
    )


@pytest.mark.parametrize("points", [DATA[:1], DATA[0]])
def test_one_cloud_of_hdf5_may_lie_in_an_axis_of_its_own(tmp_path, points):
    batch = own(tmp_path, ["intensity"], "a.h5", data=points, intensity=INTENSITY[0].reshape(points.shape[:-1]))
    assert torch.equal(batch.features[0, :, 0], torch.from_numpy(INTENSITY[0]))


@pytest.mark.parametrize(
    ("features", "name", "width", "text"),
    [
        (
            ["normal"],
            "a.npy",
            3,
            r"a.npy has 3 columns, data.features=\[normal\] .* takes 6: x y z normal \(3\); write",
        ),
        (["normal"], "a.txt", 6, "the normals do not have length 1; are they others"),
        (["intensity"], "a.txt", 6, r"has 6 columns, data.features=\[intensity\] .* takes 4: x y z intensity \(1\)"),
    ],
)
def test_columns_of_another_number_are_refused(tmp_path, features, name, width, text):
    with pytest.raises(DataError, match=text):
        own(tmp_path, features, name, np.random.default_rng(0).normal(size=(5, width)))


def test_a_file_of_ones_own_without_a_key_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a.h5 has no color or colors or rgb, only 'data': leave color out"):
        own(tmp_path, ["color"], "a.h5", data=DATA[0])


def test_a_mesh_gives_the_normals_of_its_faces_and_no_colors(tmp_path):
    trimesh.creation.icosphere().export(tmp_path / "ball.off")
    config = make("data", "point_folder", {"root": "", "points": 64, "features": ["normal"]})
    batch = config.read([tmp_path / "ball.off"])
    assert (batch.features * unit(batch.points)).sum(-1).min() > 0.97
    config.features.append("color")
    with pytest.raises(DataError, match=r"ball.off gives coordinates and normal, data.features=\[normal,color"):
        config.read([tmp_path / "ball.off"])


def test_a_ply_is_predicted_with_normals_and_colors_of_its_own(tmp_path):
    ball = trimesh.creation.icosphere()
    ball.visual.vertex_colors = np.tile([255, 51, 0, 255], (len(ball.vertices), 1)).astype("u1")
    ball.export(tmp_path / "ball.ply", vertex_normal=True)
    trimesh.PointCloud(ball.vertices, colors=ball.visual.vertex_colors).export(tmp_path / "points.ply")
    config = make("data", "point_folder", {"root": "", "points": 64, "features": ["color", "normal", "height"]})
    features = config.read([tmp_path / "ball.ply"]).features[0]
    assert torch.allclose(features[:, :3], torch.tensor([1, 0.2, 0]), atol=1e-6)
    assert torch.allclose(features[:, 3:6].norm(dim=1), torch.ones(64), atol=1e-5)
    with pytest.raises(DataError, match=r"points.ply gives coordinates and color, data.features=\[color,normal\]"):
        config.read([tmp_path / "points.ply"])
    config.features = ["color"]
    assert torch.allclose(config.read([tmp_path / "points.ply"]).features[0], torch.tensor([1, 0.2, 0]), atol=1e-6)
    config.features = ["intensity"]
    with pytest.raises(DataError, match=r"ball.ply gives coordinates and normal, data.features=\[intensity\]: store"):
        config.read([tmp_path / "ball.ply"])


@pytest.mark.parametrize("suffix", ["txt", "npy"])
def test_a_file_with_features_is_read_once(tmp_path, suffix):
    path, table = tmp_path / f"a.{suffix}", np.concatenate([DATA[1], BYTES[1], NORMAL[1]], axis=1)
    np.save(path, table) if suffix == "npy" else np.savetxt(path, table)
    cloud = read_points(path)
    path.unlink()
    assert torch.allclose(own_features(path, cloud, ("color", "normal"))[:, 3:], torch.from_numpy(NORMAL[1]), atol=1e-6)


def test_options_that_cannot_be_meant():
    for values, text in (
        ({"rotate": 181.0}, r"data.rotate=181.0 must be in \[0, 180\] degrees"),
        ({"normalize_after": True}, r"data.normalize_after=true undoes data.shift=0.2; set data.shift=0"),
        ({"features": ["rgb"]}, "data.features: unknown kind of feature 'rgb'"),
        ({"up": "w"}, "up"),
    ):
        with pytest.raises(ConfigError, match=text):
            make("data", "modelnet40", values)


def test_normalisation_after_augmentation_and_rotation_by_option(tmp_path, capsys):
    write_folder(tmp_path)
    write_names(tmp_path)
    values = {"root": str(tmp_path), "points": 16, "normalize": False, "normalize_after": True, "shift": 0.0}
    source = make("data", "point_folder", {**values, "rotate": 180.0, "up": "y"}).build()
    assert "unit sphere" not in capsys.readouterr().err
    for train in (True, False):
        batch = next(iter(source.loader("train", batch_size=9, train=train, seed=0).batches(0)))
        assert batch.points.mean(1).abs().max() < 1e-5
        assert (batch.points.norm(dim=-1).amax(1) - 1).abs().max() < 1e-5


def test_normals_of_real_parts_reach_a_model(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path))
    values = {"root": str(real_data / "cad_shapes"), "points": 64, "limit": 40, "features": ["normal"]}
    source = make("data", "point_folder", values).build()
    batch = next(iter(source.loader("train", batch_size=40, train=True, seed=0).batches(0)))
    assert (batch.features.norm(dim=-1) - 1).abs().max() < 1e-5
    model = create_model("point_bert_tiny", num_classes=29, features=["normal"]).eval()
    with torch.no_grad():
        assert model(batch).isfinite().all()
