import h5py
import numpy as np
import pytest
import torch
from point_folders import NAMES, cloud_array, write_hdf5, write_names

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.files import read_names, read_split, split_files

DATA = cloud_array(6, 5)
LABEL = np.array([0, 1, 2, 2, 1, 0])


def test_files_of_a_split_come_in_natural_order(tmp_path):
    for number in (10, 9, 1):
        write_hdf5(tmp_path / f"ply_data_train{number}.h5", data=DATA + number, label=LABEL)
    assert [path.name[14:-3] for path in split_files(tmp_path, "train")] == ["1", "9", "10"]
    clouds = read_split(tmp_path, "train", NAMES)
    assert clouds.points[::6, 0, 0].tolist() == [1, 9, 10]
    assert len(clouds) == 18


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
@pytest.mark.parametrize("dtype", ["u1", "i4", "i8", "f4"])
@pytest.mark.parametrize("precision", ["f2", "f4", "f8"])
def test_label_and_coordinate_variants(tmp_path, shape, dtype, precision):
    path = tmp_path / "ply_data_test.h5"
    write_hdf5(path, data=DATA.astype(precision), label=LABEL.reshape(shape).astype(dtype), normal=DATA, faceId=LABEL)
    clouds = read_split(tmp_path, "test", NAMES)
    assert clouds.labels.tolist() == LABEL.tolist()
    assert clouds.labels.dtype == torch.int64
    assert torch.equal(clouds.points, torch.from_numpy(DATA.astype(precision).astype("f4")))


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        ({"points": DATA, "label": LABEL}, r"no dataset 'data', only 'label', 'points'"),
        ({"data": DATA}, "no dataset 'label'"),
        ({"data": DATA[..., :2], "label": LABEL}, r"'data' must be .* it is float32 \(6, 5, 2\)"),
        ({"data": DATA[0], "label": LABEL}, r"it is float32 \(5, 3\)"),
        ({"data": DATA.astype("i4"), "label": LABEL}, "it is int32"),
        ({"data": DATA[:0], "label": LABEL[:0]}, r"it is float32 \(0, 5, 3\)"),
        ({"data": DATA, "label": LABEL[:5]}, r"'label' must be \(6,\) or \(6, 1\) for 6 clouds, it is \(5,\)"),
        ({"data": DATA, "label": LABEL + 0.5}, "whole numbers"),
        ({"data": DATA, "label": np.array(["a"] * 6, dtype="S1")}, "whole numbers"),
        ({"data": DATA, "label": changed(LABEL, 4, 3)}, "row 4 has label 3, but shape_names.txt names 3 classes"),
        ({"data": DATA, "label": changed(LABEL, 2, -1)}, "row 2 has label -1"),
        ({"data": changed(DATA, (3, 1, 2), np.nan), "label": LABEL}, r"row 3, point 1 is \[.*nan\]"),
        ({"data": changed(DATA, (5, 0, 0), np.inf), "label": LABEL}, "row 5, point 0"),
    ],
)
def test_faulty_files_are_named_with_row_and_rule(tmp_path, datasets, message):
    write_hdf5(tmp_path / "ply_data_train0.h5", data=DATA, label=LABEL)
    write_hdf5(tmp_path / "ply_data_train1.h5", **datasets)
    with pytest.raises(DataError, match=message) as caught:
        read_split(tmp_path, "train", NAMES)
    assert "ply_data_train1.h5" in str(caught.value)


def test_damaged_files(tmp_path):
    path = tmp_path / "ply_data_train0.h5"
    path.write_bytes(b"not an HDF5 file")
    with pytest.raises(DataError, match=r"cannot be read .* fetch it again"):
        read_split(tmp_path, "train", NAMES)
    write_hdf5(path, data=cloud_array(50, 100), label=np.zeros(50, dtype="u1"))
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(DataError, match=r"cannot be read .* fetch it again"):
        read_split(tmp_path, "train", NAMES)


def test_damaged_chunk(tmp_path):
    path = tmp_path / "ply_data_train0.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", data=cloud_array(50, 100), chunks=(50, 100, 3), compression="gzip")
        offset, size = data.id.get_chunk_info(0).byte_offset, data.id.get_chunk_info(0).size
        file["label"] = np.zeros(50, dtype="u1")
    content = bytearray(path.read_bytes())
    content[offset + 10 : offset + size // 2] = bytes(size // 2 - 10)
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_split(tmp_path, "train", NAMES)


def test_clouds_of_two_sizes_and_no_files(tmp_path):
    with pytest.raises(DataError, match=r"no ply_data_test\*.h5 in"):
        read_split(tmp_path, "test", NAMES)
    write_hdf5(tmp_path / "ply_data_test0.h5", data=DATA, label=LABEL)
    write_hdf5(tmp_path / "ply_data_test1.h5", data=DATA[:, :4], label=LABEL)
    with pytest.raises(DataError, match=r"ply_data_test0.h5: 5, ply_data_test1.h5: 4"):
        read_split(tmp_path, "test", NAMES)


def test_names(tmp_path):
    with pytest.raises(DataError, match=r"shape_names.txt is missing: .* one a line"):
        read_names(tmp_path)
    (tmp_path / "shape_names.txt").write_bytes(b"night_stand\r\ncup \r\n\r\n")
    assert read_names(tmp_path) == ("night_stand", "cup")


@pytest.mark.parametrize("content", [b"cup\n\x1b[31mred\n", b"cup\n\xe2\x80\xaepuc\n", b"a\0b\n", b"caf\xe9\n"])
def test_names_must_be_seen(tmp_path, content):
    (tmp_path / "shape_names.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"shape_names\.txt (has the name .* not seen|is cut off)"):
        read_names(tmp_path)


@pytest.mark.parametrize("names", [(), ("a", "", "b"), ("a", "b", "a")])
def test_names_must_be_distinct(tmp_path, names):
    write_names(tmp_path, names)
    with pytest.raises(DataError, match="one distinct class name a line"):
        read_names(tmp_path)
