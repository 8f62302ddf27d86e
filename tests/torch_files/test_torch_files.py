"""Files of torch.save that ask for more than they hold, and files that do not."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from geo_lm4ve.torch_files import ForeignObjectError, TensorRef, load_torch
from geo_lm4ve.torch_files.walk import Walk

FLOATS = struct.pack("<2f", 1.0, 2.0)


def pickled(storage_count=2, offset=0, shape=(2,), strides=(1,), key="0"):
    """The data.pkl of {"x": tensor}, of protocol 2, written out by hand."""

    def number(value):
        return b"\x8a\x08" + struct.pack("<q", value)  # LONG1

    def tuple_of(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    kind = b"ctorch\nFloatStorage\n"
    storage = b"(" + text("storage") + kind + text(key) + text("cpu") + number(storage_count) + b"tQ"
    arguments = b"(" + storage + number(offset) + tuple_of(shape) + tuple_of(strides) + b"\x89N" + b"t"
    return b"\x80\x02}" + text("x") + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"Rs."


def write_zip(path, content, data=FLOATS, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a/data.pkl", content)
        archive.writestr("a/data/0", data)
        archive.writestr("a/version", "3\n")
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_what_trainers_save_comes_back(tmp_path, legacy):
    weight = torch.randn(4, 3)
    tagged = torch.ones(2)
    tagged.note = "of a tensor"
    saved = {
        "model": OrderedDict(a=weight, b=weight.t(), c=torch.nn.Parameter(torch.ones(2)), d=torch.tensor(3)),
        "expanded": torch.arange(3.0).expand(5, 3),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999)}]},
        "plain": [None, True, 1, 2**40, 10**30, -1.5, "text", b"bytes", bytearray(b"more"), {1, 2}, 1j],
        "named": (torch.device("cpu"), torch.float16, torch.Size([2])),
        "tagged": tagged,
    }
    torch.save(saved, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    found = load_torch(tmp_path / "x.pth")
    assert found.keys() == saved.keys()
    assert all(torch.equal(found["model"][key], value) for key, value in saved["model"].items())
    assert torch.equal(found["expanded"], saved["expanded"])
    assert found["plain"] == saved["plain"]
    assert found["named"] == saved["named"]


def test_numbers_of_numpy_are_known_where_they_are_asked_for(tmp_path):
    torch.save({"best": np.float64(0.5)}, tmp_path / "x.pth")
    kinds = [(type(np.float64(0)).__reduce__(np.float64(0))[0], "numpy._core.multiarray.scalar"), np.dtype]
    found = load_torch(tmp_path / "x.pth", known=[*kinds, type(np.dtype("float64"))])
    assert found == {"best": 0.5}


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02}r\x00\x00\x00\x10.",  # an index of the memo
        b"\x80\x02X\xff\xff\xff\x7f.",  # the length of a text
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # of bytes
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f.",  # of a bytearray
        b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\x00\xe4\x0bT\x02\x85R.",  # bytearray(10**10)
        b"\x80\x02ctorch\nTensor\n\x8a\x05\x00\xe4\x0bT\x02\x85R.",  # torch.Tensor(10**10)
    ],
)
def test_a_few_bytes_ask_for_no_memory(tmp_path, content):
    torch.save({}, tmp_path / "warm.pth")
    load_torch(tmp_path / "warm.pth")
    path = write_zip(tmp_path / "x.pth", content)
    tracemalloc.start()
    try:
        try:
            load_torch(path)
        except (ValueError, pickle.UnpicklingError):
            pass
        else:
            assert content[2:3] == b"}", "only the dict without anything in it is right"
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_tensor_stays_within_its_storage(tmp_path):
    good = load_torch(write_zip(tmp_path / "good.pth", pickled()))
    assert torch.equal(good["x"], torch.tensor([1.0, 2.0]))
    for name, content in {
        "offset": pickled(offset=1),
        "shape": pickled(shape=(3,)),
        "strides": pickled(strides=(2,)),
        "negative": pickled(shape=(-1,)),
        "backwards": pickled(offset=1, strides=(-1,)),
        "repeated": pickled(shape=(2**40, 2), strides=(0, 1)),
        "storage": pickled(storage_count=3),
        "huge": pickled(storage_count=2**40, shape=(2**40,)),
        "axes": pickled(shape=(2, 1)),
        "entry": pickled(key="1"),
    }.items():
        with pytest.raises(ValueError, match=r"tensor|storage|stride|axis|entry"):
            load_torch(write_zip(tmp_path / f"{name}.pth", content))


def test_a_storage_of_an_old_file_cannot_be_larger_than_the_file(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"x": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    size = content.index(b"K\x64", content.index(b"storage"))
    path.write_bytes(content[:size] + b"J\x00\x00\x00\x40" + content[size + 2 :])
    with pytest.raises(ValueError, match=r"ends at value|take .* bytes, .* are left"):
        load_torch(path)


def test_compressed_entries_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"entry a/data\.pkl is compressed"):
        load_torch(write_zip(tmp_path / "x.pth", pickled(), method=zipfile.ZIP_DEFLATED))


def test_entries_that_overlap_are_refused(tmp_path):
    path = write_zip(tmp_path / "x.pth", pickled())
    content = bytearray(path.read_bytes())
    last = content.rindex(b"PK\x01\x02")
    content[last + 42 : last + 46] = struct.pack("<I", 4)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="overlaps the next one"):
        load_torch(path)


def test_a_key_that_takes_for_ever_to_hash_is_refused():
    nested = b"N" + b"2\x86" * 60  # DUP, TUPLE2: 2**60 leaves
    doubled = b"Nq\x00" + b"".join(b"h%c\x86q%c" % (i, i + 1) for i in range(60))
    for key in (nested, doubled):
        with pytest.raises(ValueError, match=r"a key is neither|opcode"):
            Walk(b"\x80\x02}" + key + b"Ns.")


def test_functions_are_named_and_never_called(tmp_path):
    class Opened:
        def __reduce__(self):
            return print, ("this must never be printed",)

    torch.save({"x": Opened()}, tmp_path / "x.pth")
    with pytest.raises(ForeignObjectError, match=r"it asks for _*builtins?_*\.print"):
        load_torch(tmp_path / "x.pth")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_is_walked_as_pickle_reads_it(protocol):
    value = {"a": [1, 2.5, None, (True, False)], 3: {"b": "ü", "c": b"\xff"}, "d": [], "e": ((), (1,), (1, 2, 3, 4))}
    found = Walk(pickle.dumps(value, protocol)).value
    assert found == value


def test_the_walk_says_where_tensors_lie():
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(2, 3)[1:]}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        found = Walk(archive.read("archive/data.pkl")).value["a"]
    assert isinstance(found, TensorRef)
    assert (found.offset, found.shape, found.strides, found.storage.count) == (3, (1, 3), (3, 1), 6)
    assert found.contiguous
