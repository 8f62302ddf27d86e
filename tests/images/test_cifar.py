"""CIFAR in both of its versions and idx files: the pixels that were written come out, and no pickle is executed."""

import gzip
import io
import pickle
import struct

import numpy as np
import pytest
import torch

from geo_lm4ve.images.formats.cifar import CIFAR100
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError

COUNT = 6


def build(name, root, **values):
    return load_option("data", name, {"root": str(root), "val_fraction": 0.0, "workers": 0, **values}).build()


def images(seed=0, count=COUNT):
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def rows(pixels):
    """As CIFAR has them: all of red, all of green, all of blue."""
    return pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)


def pickled(seed, key, protocol=2, labels=range(COUNT)):
    labels, values = list(labels), rows(images(seed))
    names = [f"labels_{n}.png" for n in labels]
    batch = {"batch_label": "one", key: labels, "data": values, "coarse_labels": [0] * COUNT, "filenames": names}
    return pickle.dumps({name.encode(): value for name, value in batch.items()} if protocol > 2 else batch, protocol)


def binary(seed, extra=0):
    labels = np.arange(COUNT, dtype=np.uint8)[:, None]
    return np.concatenate([np.zeros((COUNT, extra), np.uint8), labels, rows(images(seed))], 1).tobytes()


def write(folder, version):
    """CIFAR-10 with files of six images."""
    place = folder / f"cifar-10-batches-{'bin' if version == 'binary' else 'py'}"
    place.mkdir()
    for seed, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        suffix = ".bin" if version == "binary" else ""
        content = binary(seed) if suffix else pickled(seed, "labels", version)
        (place / f"{name}{suffix}").write_bytes(content)
    return folder


@pytest.mark.parametrize("version", [2, 4, "binary"])
def test_cifar10(version, tmp_path):
    source = build("cifar10", write(tmp_path, version), allow_other_counts=True)
    assert source.info.counts == {"train": 30, "test": 6}
    assert source.splits["train"].labels.tolist() == [*range(6)] * 5
    for row in (0, 7, 29):
        assert np.array_equal(np.asarray(source.splits["train"].image(row)), images(row // 6)[row % 6])
    (batch,) = source.loader("test", batch_size=6, train=False, seed=0).batches(0)
    shown = batch.pixels * torch.tensor(source.config.std).view(3, 1, 1) + torch.tensor(source.config.mean).view(
        3, 1, 1
    )
    assert np.allclose(shown.permute(0, 2, 3, 1).numpy() * 255, images(5), atol=1e-3)


@pytest.mark.parametrize("binary_version", [False, True])
def test_cifar100_has_fine_labels(binary_version, tmp_path):
    for seed, split in enumerate(("train", "test")):
        content = binary(seed, extra=1) if binary_version else pickled(seed, "fine_labels")
        (tmp_path / f"{split}{'.bin' if binary_version else ''}").write_bytes(content)
    source = build("cifar100", tmp_path, allow_other_counts=True)
    assert source.splits["test"].labels.tolist() == [*range(6)]
    assert np.array_equal(np.asarray(source.splits["test"].image(3)), images(1)[3])
    assert len(set(CIFAR100)) == 100
    assert list(CIFAR100) == sorted(CIFAR100)


class Attack:
    def __reduce__(self):
        return (print, ("executed",))


def test_pickles_are_not_executed_and_counts_are_checked(tmp_path, capsys):
    root = write(tmp_path, 2)
    with pytest.raises(DataError, match=r"must hold 50,000 images of train, it holds 30"):
        build("cifar10", root)
    path = root / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(pickle.dumps({"labels": Attack()}, 2))
    with pytest.raises(DataError, match=r"data_batch_3 .*it holds 0 labels and 0 bytes of pixels"):
        build("cifar10", root, allow_other_counts=True)
    assert "executed" not in capsys.readouterr().out
    path.write_bytes(pickled(2, "labels", labels=[0, 1, 2, 3, 4, 10]))
    with pytest.raises(DataError, match=r"data_batch_3 .*row 5 has the label 10, labels are 0 to 9"):
        build("cifar10", root, allow_other_counts=True)
    path.unlink()
    with pytest.raises(DataError, match=r"lacks 1 of 5 files of train"):
        build("cifar10", root)


def test_a_cut_binary_file_is_named(tmp_path):
    root = write(tmp_path, "binary")
    path = root / "cifar-10-batches-bin" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"test_batch\.bin .*its 18,437 bytes are no whole number of rows of 3,073"):
        build("cifar10", root, allow_other_counts=True)


def idx(values):
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def gray(seed, count=COUNT):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def idx_files(packed=False):
    files = {}
    for seed, split in enumerate(("train", "t10k")):
        files[f"{split}-images-idx3-ubyte"] = idx(gray(seed))
        files[f"{split}-labels-idx1-ubyte"] = idx(np.arange(COUNT) % 3)
    return {f"{name}.gz": gzip.compress(content) for name, content in files.items()} if packed else files


def write_idx(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files(packed, tmp_path):
    source = build("idx", write_idx(tmp_path, idx_files(packed)))
    assert source.info.counts == {"train": 6, "test": 6}
    assert source.info.classes == ("0", "1", "2")
    image = np.asarray(source.splits["test"].image(4))
    assert np.array_equal(image, np.repeat(gray(1)[4][..., None], 3, axis=2))
    (tmp_path / "classes.txt").write_text("shirt\nshoe\nbag\n")
    assert build("idx", tmp_path).info.classes == ("shirt", "shoe", "bag")
    (tmp_path / "classes.txt").write_text("shirt\nshoe\n")
    with pytest.raises(DataError, match="train has the label 2, there are 2 classes"):
        build("idx", tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t10k-labels-idx1-ubyte", None, r"there is no t10k-labels-idx1-ubyte \(or .*\.gz\) in .*datasets/idx"),
        ("t10k-labels-idx1-ubyte", idx(np.arange(5)), r"holds 6 images, .* 5 labels: get both again"),
        ("train-images-idx3-ubyte", idx(gray(0))[:-1], r"train-images-idx3-ubyte .*holds 4,703 values or more"),
        ("train-images-idx3-ubyte", idx(gray(0)) + b"x", r"holds 4,705 values or more, its shape is \(6, 28, 28\)"),
        ("train-images-idx3-ubyte", idx(np.arange(6)), r"not those of an idx file of bytes with 3 axes"),
        (
            "train-images-idx3-ubyte",
            struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**10, 28),
            r"would take 61,572,651,155,456 b",
        ),
    ],
)
def test_damaged_idx_files_are_named(name, content, message, tmp_path):
    files = {**idx_files(), name: content}
    with pytest.raises(DataError, match=message):
        build("idx", write_idx(tmp_path, {name: content for name, content in files.items() if content is not None}))


def test_a_bomb_in_gzip_is_refused_before_memory_is_asked_for(tmp_path):
    head = struct.pack(">HBB3I", 0, 8, 3, 10**6, 10**3, 28)
    packed = io.BytesIO()
    with gzip.open(packed, "w") as file:
        file.write(head + bytes(10**6))
    with pytest.raises(
        DataError, match=r"would take 28,000,000,000 bytes, the file has .* that hold at most 1032 times"
    ):
        build("idx", write_idx(tmp_path, {**idx_files(True), "train-images-idx3-ubyte.gz": packed.getvalue()}))
