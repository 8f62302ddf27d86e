"""ScanObjectNN: its files by their official names, both conventions, and what is said where something is missing."""

import io
import zipfile

import h5py
import numpy as np
import pytest
import torch
from point_folders import write_scans
from rich.console import Console

from geo_lm4ve.config import make
from geo_lm4ve.geometry.normalize import normalize_unit_sphere
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.prepare.scanobjectnn import check_list, read_list
from geo_lm4ve.points.scanobjectnn import COUNTS, NAMES, Variant
from geo_lm4ve.prepare.base import find

FILES = {
    "obj_bg": ("main_split", ""),
    "obj_only": ("main_split_nobg", ""),
    "pb_t25": ("main_split", "augmented25_norot"),
    "pb_t25_r": ("main_split", "augmented25rot"),
    "pb_t50_r": ("main_split", "augmentedrot"),
    "pb_t50_rs": ("main_split", "augmentedrot_scale75"),
}


def config(root, option="scanobjectnn", **values):
    return load_option("data", option, {"root": str(root), "points": 16, "allow_other_counts": True, **values})


def batch(source, split="test", train=False):
    return next(iter(source.loader(split, batch_size=15, train=train, seed=0).batches(0)))


def test_names_and_counts_are_the_authors():
    assert len(NAMES) == 15
    assert NAMES[:3] == ("bag", "bin", "box")
    assert NAMES[-2:] == ("sofa", "toilet")
    assert {Variant.pb_t50_rs: {"train": 11416, "test": 2882}} == COUNTS
    assert [variant.name for variant in Variant] == list(FILES)


@pytest.mark.parametrize("variant", FILES)
@pytest.mark.parametrize("inner", ["", "h5_files"])
def test_a_variant_is_read_from_its_files_alone(tmp_path, variant, inner, capsys):
    folder, suffix = FILES[variant]
    write_scans(tmp_path / inner, suffix, folder)
    source = config(tmp_path, variant=variant).build()
    assert source.info.counts == {"train": 75, "val": 15, "test": 15}
    assert source.info.classes == NAMES
    assert source.info.title == f"ScanObjectNN {variant.upper()} (16 points)"
    assert batch(source).labels.tolist() == list(range(15))
    assert "unit sphere" not in capsys.readouterr().err
    assert config(tmp_path, variant=variant).stored(tmp_path) == {"train": 90, "test": 15}
    others = [name for name in FILES if name != variant]
    for other in others:
        with pytest.raises(
            DataError, match=rf"there is no main_split\S*objectdataset\S*.h5 in .*variant={variant} can"
        ):
            config(tmp_path, variant=other).look()
    config(tmp_path, variant=variant).look()


def test_the_hardest_variant_is_the_default_and_must_be_whole(tmp_path):
    write_scans(tmp_path)
    with pytest.raises(DataError, match=r"must hold \{'train': 11416, 'test': 2882\} clouds, it holds \{'train': 90"):
        config(tmp_path, allow_other_counts=False).build()
    write_scans(tmp_path, "")
    assert config(tmp_path, variant="obj_bg", allow_other_counts=False).build().info.counts["test"] == 15


def test_without_files_it_is_said_how_to_get_them(tmp_path):
    with pytest.raises(
        DataError, match=r"there is no main_split/training_\S* in .*gone: run \S+ \S+ scanobjectnn, which"
    ):
        config(tmp_path / "gone").look()
    with pytest.raises(
        DataError, match=r"may not be passed on .*hkust-vgd.github.io/scanobjectnn/.* --from PATH/h5_fil"
    ):
        find("scanobjectnn").prepare(tmp_path / "out", None)
    with pytest.raises(DataError, match=r"holds no main_split/training_objectdataset"):
        find("scanobjectnn").check(tmp_path)


def stored_test(root):
    with h5py.File(root / "main_split" / "test_objectdataset_augmentedrot_scale75.h5") as file:
        return torch.from_numpy(file["data"][()])


def test_point_bert_takes_coordinates_as_they_are(tmp_path):
    write_scans(tmp_path)
    source = config(tmp_path, points=40).build()
    plain = batch(source)
    assert torch.equal(plain.points.sort(1).values, stored_test(tmp_path).sort(1).values)
    assert plain.features is None
    values = source.config
    assert (values.scale_low, values.scale_high, values.shift, values.rotate) == (2 / 3, 3 / 2, 0.2, 0.0)


def test_pointnext_takes_heights_before_it_centres_and_scales(tmp_path):
    write_scans(tmp_path)
    source = config(tmp_path, "scanobjectnn_pointnext", points=40).build()
    values = source.config
    assert (values.scale_low, values.scale_high, values.shift, values.rotate, values.up.name) == (0.9, 1.1, 0, 180, "y")
    plain, stored = batch(source), stored_test(tmp_path)
    assert plain.feature_names == ("height",)
    height = stored[..., 1] - stored[..., 1].amin(1, keepdim=True)
    assert torch.equal(plain.features[..., 0].sort(1).values, height.sort(1).values)
    expected = normalize_unit_sphere(stored)
    assert torch.allclose(plain.points.sort(1).values, expected.sort(1).values, atol=1e-6)
    trained = batch(source, "train", train=True)
    slope = trained.features[..., 0].amax(1) / (trained.points[..., 1].amax(1) - trained.points[..., 1].amin(1))
    assert (slope > 1.5).all(), "heights are not divided by the norm"
    assert (trained.points.norm(dim=-1).amax(1) - 1).abs().max() < 1e-5


def test_test_points_are_the_farthest_and_their_order_is_kept(tmp_path):
    write_scans(tmp_path)
    first = batch(config(tmp_path).build())
    assert len(list((tmp_path / "fps_order").iterdir())) == 2
    assert torch.equal(batch(config(tmp_path).build()).points, first.points)
    assert torch.equal(batch(config(tmp_path, "scanobjectnn_pointnext").build()).index, first.index)
    assert len(list((tmp_path / "fps_order").iterdir())) == 2, "both conventions share the order"


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda file: file["label"].__setitem__(3, 15), r"row 3 has label 15, but ScanObjectNN names 15 classes"),
        (lambda file: file["label"].__setitem__(3, -1), "row 3 has label -1"),
        (lambda file: file["data"].__setitem__((2, 5, 1), np.nan), r"row 2, point 5 is \[.*nan"),
        (lambda file: file.__delitem__("label"), "no dataset 'label', only 'data', 'mask'"),
    ],
)
def test_faulty_files_are_named(tmp_path, spoil, text):
    write_scans(tmp_path)
    path = tmp_path / "main_split" / "training_objectdataset_augmentedrot_scale75.h5"
    with h5py.File(path, "a") as file:
        spoil(file)
    with pytest.raises(DataError, match=text) as caught:
        config(tmp_path).build()
    assert path.name in str(caught.value)


def test_a_truncated_or_transposed_file_is_named(tmp_path):
    write_scans(tmp_path)
    path = tmp_path / "main_split" / "test_objectdataset_augmentedrot_scale75.h5"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"test_objectdataset_augmentedrot_scale75.h5 .*(truncated|cut off)"):
        config(tmp_path).build()
    with h5py.File(path, "w") as file:
        file["data"], file["label"] = np.zeros((4, 3, 40), "f4"), np.zeros(4, "i4")
    with pytest.raises(
        DataError, match=r"it is float32 \(4, 3, 40\); the coordinates come last: data.transpose\(0, 2, 1"
    ):
        config(tmp_path).build()


def printed(renderable):
    console = Console(width=200, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def archive(tmp_path):
    root, path = write_scans(tmp_path / "files" / "h5_files", "", "main_split_nobg"), tmp_path / "h5_files.zip"
    write_scans(root, "")
    with zipfile.ZipFile(path, "w") as file:
        for member in sorted(root.rglob("*.h5")):
            file.write(member, member.relative_to(tmp_path / "files"))
    return path


def test_an_archive_is_unpacked_and_read_through(tmp_path, capsys):
    out, preparer = tmp_path / "out", find("scanobjectnn")
    preparer.prepare(out, archive(tmp_path))
    text = printed(preparer.check(out))
    assert "OBJ_BG" in text
    assert "OBJ_ONLY" in text
    assert "PB_" not in text
    assert text.count("train: data (90, 40, 3) float32") == 2
    assert "toilet" in text
    assert config(out, variant="obj_only").build().info.counts["test"] == 15
    preparer.prepare(out, None)
    assert "has files already" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"is a folder and needs no preparation: set data.root=.* --check --root"):
        preparer.prepare(tmp_path / "other", out)


def test_the_hardest_variant_is_counted_when_checked(tmp_path):
    write_scans(tmp_path)
    with pytest.raises(
        DataError, match=r"PB_T50_RS\) holds \{'train': 90, 'test': 15\} clouds, expected are \{'train': 1"
    ):
        find("scanobjectnn").check(tmp_path)


def test_counts_are_held_against_the_authors_list(tmp_path, capsys):
    write_scans(tmp_path, "")
    path = tmp_path / "main_split" / "split_new.txt"
    path.write_text("".join(f"scene{row}.bin\t{row % 15}{chr(9) + 't' if row < 16 else ''}\n" for row in range(120)))
    assert read_list(path) == {"train": 104, "test": 16}
    find("scanobjectnn").check(tmp_path)
    assert (
        "lists {'train': 104, 'test': 16} objects, the files hold {'train': 90, 'test': 15}" in capsys.readouterr().err
    )
    path.write_text("scene.bin\t3\tt\n" * 15 + "scene.bin\t3\t\n" * 89)
    with pytest.raises(
        DataError, match=r"holds \{'train': 90\} clouds, .*split_new.txt lists \{'train': 89, 'test': 15"
    ):
        check_list(tmp_path, {"train": 90, "test": 15})
    path.write_text("scene.bin 3 t\n")
    with pytest.raises(DataError, match=r"split_new.txt .* separated by tabs, not \['scene.bin 3 t'\]"):
        read_list(path)


def test_own_files_get_heights_along_y(tmp_path):
    cloud = np.random.default_rng(0).normal(size=(40, 3))
    np.save(tmp_path / "a.npy", cloud)
    found = make("data", "scanobjectnn", {"points": 40, "features": ["height"]}).read([tmp_path / "a.npy"])
    assert found.features[0, :, 0].sort().values.tolist() == pytest.approx(
        np.sort(cloud[:, 1] - cloud[:, 1].min()), abs=1e-6
    )
