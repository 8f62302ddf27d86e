"""Small sets are decoded once; no pixel changes by it, and what is spoiled, stale or in the making is made again."""

import threading

import numpy as np
import pytest
import torch
from image_files import class_folders, encoded, picture, table_files, write_files, write_zip

from geo_lm4ve.images.stores.kept import KeptPictures, kept
from geo_lm4ve.locks import lock
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError

MOST = 0.001


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where pixels are kept."""
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "decoded_images"


@pytest.fixture
def place(tmp_path):
    return write_zip(tmp_path / "set.zip", table_files(rows=12, masks=True))


def config(place, **values):
    values = {"root": str(place), "size": 8, "share": 1.0, "masks": ".png", "cache_gib": MOST, **values}
    return load_option("data", "image_folder", values)


def train(place):
    """The images as they lie in the files."""
    return config(place).pictures().splits["train"]


def file_of(folder):
    (path,) = folder.glob("*.safetensors")
    return path


@pytest.mark.parametrize("time", ["first", "second"])
def test_kept_pixels_are_those_of_the_files(time, place, folder, capsys):
    plain = train(place)
    if time == "second":
        kept(plain, "x", MOST)
        capsys.readouterr()
    found = kept(plain, "x", MOST)
    assert isinstance(found, KeptPictures)
    assert ("decoding x, once: 10 images" in capsys.readouterr().err) == (time == "first")
    assert len(found) == len(plain) == 10
    assert torch.equal(found.labels, plain.labels)
    for row in range(len(plain)):
        assert np.array_equal(np.asarray(found.image(row)), np.asarray(plain.image(row)))
        assert np.array_equal(np.asarray(found.mask(row)), np.asarray(plain.mask(row)))
        assert found.name(row) == plain.name(row)


def test_batches_are_the_same_with_and_without(place):
    sources = [config(place, cache_gib=gib).build() for gib in (0.0, MOST)]
    loaders = [source.loader("train", batch_size=5, train=True, seed=3) for source in sources]
    for without, with_kept in zip(*(loader.batches(0) for loader in loaders), strict=True):
        assert torch.equal(without.pixels, with_kept.pixels)


def test_images_of_any_size_lie_beside_each_other(tmp_path):
    files = {f"c/{n}.png": encoded(picture(n, 3 + n, 20 - n)) for n in range(9)}
    root = write_files(tmp_path / "set", files)
    plain = config(root, masks="").pictures().splits["train"]
    found = kept(plain, "x", MOST)
    assert [np.asarray(found.image(row)).shape for row in range(9)] == [(20 - n, 3 + n, 3) for n in range(9)]
    assert found.mask(0) is None


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "of others"])
def test_damaged_files_are_made_again(damage, place, folder, capsys):
    plain = train(place)
    kept(plain, "x", MOST)
    path = file_of(folder)
    content = bytearray(path.read_bytes())
    good = bytes(content)
    if damage == "flipped":
        content[2000] ^= 1
    elif damage == "of others":
        content = good.replace(b'"digest": "', b'"digest": "0')[: len(good)]
    path.write_bytes({"cut": content[:-40], "emptied": b""}.get(damage, content))
    capsys.readouterr()
    found = kept(plain, "x", MOST)
    said = capsys.readouterr().err
    assert "decoding the images again" in said
    assert "decoding x, once" in said
    assert np.array_equal(np.asarray(found.image(3)), np.asarray(plain.image(3)))
    assert path.read_bytes() == good


def test_changed_images_are_decoded_again(place, folder):
    kept(train(place), "x", MOST)
    files = table_files(rows=12, masks=True)
    files["train/0.jpg"] = encoded(picture(99), "JPEG")
    write_zip(place, files)
    found = kept(train(place), "x", MOST)
    assert np.array_equal(np.asarray(found.image(0)), np.asarray(train(place).image(0)))
    assert len(list(folder.glob("*.safetensors"))) == 2


def test_all_damaged_images_are_counted_and_nothing_is_left(tmp_path, folder):
    files = class_folders({"": 10})
    for name in ("cat/3.png", "dog/7.png"):
        files[name] = files[name][:70]
    files["dog/2.png"] = b"<html>"
    plain = config(write_files(tmp_path / "set", files), masks="").pictures().splits["train"]
    with pytest.raises(
        DataError, match=r"(?s)3 of 20 images cannot be read: .*cat/3\.png.*dog/2\.png.*web page.*dog/7"
    ):
        kept(plain, "x", MOST)
    assert not list(folder.glob("*.safetensors"))


@pytest.mark.parametrize("gib", [0.0, 1e-6])
def test_what_does_not_fit_stays_in_its_files(gib, place, folder):
    plain = train(place)
    assert kept(plain, "x", gib) is plain
    assert not folder.exists()


def test_a_limit_for_debugging_keeps_nothing(place, folder):
    config(place, limit=4).build()
    assert not folder.exists()


def test_one_process_decodes_and_others_wait(place, folder, capsys):
    plain = train(place)
    kept(plain, "x", MOST)
    path = file_of(folder)
    content = path.read_bytes()
    path.unlink()
    with path.with_suffix(".lock").open("a") as busy:
        lock(busy)
        waiting = threading.Thread(target=kept, args=(plain, "x", MOST))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert not path.exists()
        path.write_bytes(content)  # as the other process does
        capsys.readouterr()
    waiting.join(30)
    assert not waiting.is_alive()
    assert "decoding x" not in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_and_does_without(place, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "file"))
    plain = train(place)
    assert kept(plain, "x", MOST) is plain
    said = capsys.readouterr().err
    assert "cannot write" in said
    assert "decoded whenever they are asked for" in said
