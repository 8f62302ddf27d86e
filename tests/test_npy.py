import struct

import numpy as np
import pytest

from geo_lm4ve.npy import read_npy

ARRAYS = [
    np.arange(12.0).reshape(4, 3),
    np.asfortranarray(np.arange(12, dtype=">i2").reshape(4, 3)),
    np.float32(3),
    np.zeros((0, 3), np.uint8),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype} {array.shape}")
def test_the_values_are_those_written(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    read = read_npy(tmp_path / "a.npy")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.asarray(array).dtype
    assert read.shape == np.shape(array)


def head(header, version=1):
    return (
        b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header.encode()
    )


def shaped(shape, descr="'<f8'"):
    return head(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}") + bytes(48)


REFUSED = {
    "24 TB": (shaped("(1000000000000, 3)"), r"would take 24,000,000,000,000 bytes, the file has 48 bytes"),
    "one row too many": (shaped("(3, 3)"), "would take 72 bytes, the file has 48 bytes"),
    "a negative length": (shaped("(-1, 3)"), r"gives the shape \(-1, 3\)"),
    "objects": (shaped("(3,)", "'|O'"), "it holds object"),
    "columns": (shaped("(3,)", "[('x', '<f4')]"), "it holds .*'x'"),
    "values without a size": (shaped("(99999999999,)", "'V0'"), r"it holds \|V0"),
    "the format of named columns": (head("{}", 3), r"its format is 3\.0"),
    "a header of 4 GB": (b"\x93NUMPY\x02\0\xff\xff\xff\xff{}", "EOF"),
    "a deep header": (head("-" * 60_000), "large"),
    "a header that is badly indented": (head("  1\n 2\n3L"), "its header cannot be read"),
    "an npz": (b"PK\x03\x04", "npz, which holds several arrays"),
    "nothing": (b"", "EOF"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_file_does_not_hold_is_refused(tmp_path, case):
    content, said = REFUSED[case]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_npy(tmp_path / "a.npy")
