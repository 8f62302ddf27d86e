import h5py
import numpy as np
import pytest

from geo_lm4ve.hdf5 import dataset, open_hdf5, values

VALUES = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)


def read(path, make, kinds="fiu"):
    with h5py.File(path, "w") as file:
        make(file)
    with open_hdf5(path) as file:
        return values(dataset(file, "data"), kinds)


PACKED = [
    {},
    {"chunks": (3, 2, 2)},
    {"chunks": (3, 2, 2), "compression": "gzip", "shuffle": True},
    {"chunks": (3, 2, 2), "compression": "lzf", "fletcher32": True},
]


@pytest.mark.parametrize("packed", PACKED, ids=lambda packed: " ".join(packed) or "plain")
def test_the_values_are_those_written(tmp_path, packed):
    np.testing.assert_array_equal(
        read(tmp_path / "a.h5", lambda file: file.create_dataset("data", data=VALUES, **packed)), VALUES
    )


def test_zeros_may_be_packed_as_tightly_as_deflate_can(tmp_path):
    zeros = np.zeros((1, 1 << 20), np.uint8)
    packed = {"chunks": zeros.shape, "compression": "gzip", "compression_opts": 9}
    assert read(tmp_path / "a.h5", lambda file: file.create_dataset("data", data=zeros, **packed)).shape == zeros.shape


def test_no_more_memory_is_asked_for_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_READ_LIMIT", str(2**-11))  # 512 KiB
    packed = {"chunks": (1, 1 << 20), "compression": "gzip"}
    with pytest.raises(ValueError, match="GEO_LM4VE_READ_LIMIT"):
        read(
            tmp_path / "a.h5", lambda file: file.create_dataset("data", data=np.zeros((1, 1 << 20), np.uint8), **packed)
        )


def virtual(file):
    layout = h5py.VirtualLayout(VALUES.shape, "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", VALUES.shape)
    file.create_virtual_dataset("data", layout)


def a_chunk_of_a_gigabyte(file):
    file.create_dataset("data", (2, 2), "f4", chunks=(2, 1 << 27), maxshape=(None, None), compression="gzip")
    file["data"].id.write_direct_chunk((0, 0), b"x" * 40)


def short_of_its_checksum(file):
    made = file.create_dataset("data", (8, 4), "f4", chunks=(8, 4), fletcher32=True)
    made.id.write_direct_chunk((0, 0), b"x")


def shuffled_and_short(file):
    made = file.create_dataset("data", (8, 4), "f4", chunks=(8, 4), shuffle=True)
    made.id.write_direct_chunk((0, 0), b"x" * 127)


REFUSED = {
    "one byte with a checksum of four": (short_of_its_checksum, r"the chunk of 'data' at \(0, 0\) has too few"),
    "a chunk that is a byte short": (shuffled_and_short, r"the chunk of 'data' at \(0, 0\) has too few"),
    "112 GiB that nobody wrote": (
        lambda file: file.create_dataset("data", (10**7, 2048, 3), "f4", chunks=(1, 1, 1)),
        r"never written whole: 0 of 61,440,000,000 chunks",
    ),
    "one row of many": (
        lambda file: file.create_dataset("data", (9, 2), "f4", chunks=(1, 2)).__setitem__(3, 1.0),
        r"never written whole: 1 of 9 chunks",
    ),
    "contiguous, not written": (lambda file: file.create_dataset("data", (10**6, 9), "f4"), "0 of 1 chunks"),
    "a chunk of a gigabyte": (a_chunk_of_a_gigabyte, r"would take 1,073,741,824 bytes, the file has 40 bytes"),
    "an external link": (lambda file: file.__setitem__("data", h5py.ExternalLink("other.h5", "data")), "is a link"),
    "a soft link": (lambda file: file.__setitem__("data", h5py.SoftLink("/elsewhere")), "is a link"),
    "a group": (lambda file: file.create_group("data"), "is a group, not a dataset"),
    "another name": (lambda file: file.create_dataset("date", data=VALUES), r"no dataset 'data', only 'date'"),
    "nothing": (lambda file: None, r"no dataset 'data', only nothing"),
    "no shape": (lambda file: file.create_dataset("data", data=h5py.Empty("f4")), "has no shape"),
    "external storage": (
        lambda file: file.create_dataset("data", (10,), "f4", external=[("other.raw", 0, 40)]),
        "lie in other files",
    ),
    "a virtual dataset": (virtual, "lie in other files"),
    "texts": (lambda file: file.create_dataset("data", data=["a", "b"]), "must hold .*, it is object"),
    "complex": (lambda file: file.create_dataset("data", data=VALUES.astype("c8")), "must hold .*, it is complex64"),
    "a compound": (lambda file: file.create_dataset("data", data=np.zeros(3, [("x", "f4")])), "must hold"),
    "booleans": (lambda file: file.create_dataset("data", data=VALUES > 0), "must hold .*, it is bool"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_lie_whole_in_the_file_is_refused(tmp_path, case):
    make, said = REFUSED[case]
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["data"] = VALUES
    with pytest.raises(ValueError, match=said):
        read(tmp_path / "a.h5", make)


def test_other_kinds_of_numbers_are_refused_where_they_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match="must hold whole numbers, it is float32"):
        read(tmp_path / "a.h5", lambda file: file.create_dataset("data", data=VALUES), kinds="iu")


def test_a_single_number_is_an_array_without_axes(tmp_path):
    read_back = read(tmp_path / "a.h5", lambda file: file.create_dataset("data", data=3.5))
    assert isinstance(read_back, np.ndarray)
    assert read_back.shape == ()
