"""Tar shards of webdataset: every image is known by its row, whatever pattern names the shards."""

import json

import numpy as np
import pytest
from image_files import encoded, picture, write_tar

from geo_lm4ve.images.decode import decoded
from geo_lm4ve.images.formats.shard_names import shard_files
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Where what lies in a tar is noted."""
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))


def shard(first, count=3, json_label=False):
    files = {}
    for row in range(first, first + count):
        label = row % 2
        files[f"{row:05}.jpg"] = encoded(picture(row), "JPEG")
        files[f"{row:05}.{'json' if json_label else 'cls'}"] = (
            json.dumps({"label": label}) if json_label else f"{label}\n"
        ).encode()
        files[f"{row:05}.txt"] = b"a caption"
    return files


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(3):
        write_tar(folder / f"x-train-{number:03}.tar", shard(3 * number))
    write_tar(folder / "x-val-000.tar", shard(90, json_label=True))
    return folder


def build(root, **values):
    values = {"root": str(root), "size": 8, "share": 1.0, "cache_gib": 0.0, **values}
    return load_option("data", "image_shards", values).build()


@pytest.mark.parametrize("pattern", ["*train*.tar", "x-train-{000..002}.tar", "x-train-00{0,1,2}.tar"])
def test_shards_are_one_set(pattern, root):
    source = build(root, train=pattern)
    assert source.info.counts == {"train": 9, "val": 3}
    assert source.info.classes == ("0", "1")
    train = source.splits["train"]
    assert train.labels.tolist() == [row % 2 for row in range(9)]
    assert source.splits["val"].labels.tolist() == [0, 1, 0]
    assert train.name(4) == "x-train-001.tar/00004.jpg"
    assert np.array_equal(np.asarray(train.image(4)), np.asarray(decoded("x", encoded(picture(4), "JPEG"))))


def test_kept_pixels_of_shards(root):
    plain, found = build(root).splits["train"], build(root, cache_gib=0.01).splits["train"]
    assert type(plain) is not type(found)
    for row in range(9):
        assert np.array_equal(np.asarray(found.image(row)), np.asarray(plain.image(row)))


def test_names_of_classes(root):
    (root / "classes.txt").write_text("cat\ndog\n")
    assert build(root).info.classes == ("cat", "dog")
    (root / "classes.txt").write_text("cat\n")
    with pytest.raises(DataError, match=r"\.jpg has the label 1, .*classes\.txt names 1 classes"):
        build(root)


def test_braces_spell_out_numbers_with_their_width(tmp_path):
    for name in ("s-8", "s-9", "s-10", "s-08", "s-09"):
        (tmp_path / f"{name}.tar").write_bytes(b"")
    assert [path.stem for path in shard_files(tmp_path, "s-{8..10}.tar")] == ["s-8", "s-9", "s-10"]
    assert [path.stem for path in shard_files(tmp_path, "s-{08..10}.tar")] == ["s-08", "s-09", "s-10"]
    assert [path.stem for path in shard_files(tmp_path, "s-?.tar")] == ["s-8", "s-9"]
    with pytest.raises(DataError, match="means more than 100,000 files"):
        shard_files(tmp_path, "s-{0..999999999}.tar")


@pytest.mark.parametrize(
    ("files", "values", "message"),
    [
        ({"a.jpg": b"x"}, {}, r"1 of 1 samples have no image or no label .*: x-train-002\.tar/a"),
        ({"a.cls": b"1"}, {}, r"1 of 1 samples have no image or no label"),
        ({"a.jpg": b"x", "a.cls": b"-1"}, {}, r"a\.cls .*it holds '-1', not a whole number from 0"),
        ({"a.jpg": b"x", "a.json": b"{}"}, {}, r"a\.json .*it lacks label"),
        (None, {"train": "x-train-{000..004}.tar"}, r"means 5 files, 2 of them are not in .*: x-train-003"),
        (None, {"train": "/x/*.tar"}, r"/x/\*\.tar is no name below data\.root="),
        (None, {"train": "a", "val": "", "test": "c"}, r"no shard of a,  or c in"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(files, values, message, root):
    if files is not None:
        for path in root.glob("*.tar"):
            path.unlink()
        write_tar(root / "x-train-002.tar", files)
    with pytest.raises(DataError, match=message):
        build(root, **values)
