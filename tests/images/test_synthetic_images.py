import json

import numpy as np
import pytest
from PIL import Image

from geo_lm4ve.config import ConfigError
from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.random import numpy_generator
from geo_lm4ve.geometry.solids.classes import SOLIDS
from geo_lm4ve.images.synthetic import write as module
from geo_lm4ve.images.synthetic.recipe import SyntheticImages
from geo_lm4ve.images.synthetic.scene import draw_scene
from geo_lm4ve.images.synthetic.write import prepare_images, scene, write

FEW = {"classes": ["chair", "gear"], "train": 3, "val": 2, "test": 1, "pixels": 32}


def content(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_folder_per_split_and_class_with_a_mask_beside_every_image(tmp_path, capsys):
    prepare_images(tmp_path, SyntheticImages(**FEW))
    stems = [
        f"{split}/{name}/{number:05d}"
        for split, count in (("train", 3), ("val", 2), ("test", 1))
        for name in ("chair", "gear")
        for number in range(count)
    ]
    assert sorted(content(tmp_path)) == sorted(
        ["manifest.json", *(stem + end for stem in stems for end in (".jpg", ".png"))]
    )
    for stem in stems:
        with Image.open(tmp_path / f"{stem}.jpg") as image, Image.open(tmp_path / f"{stem}.png") as mask:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (32, 32))
            assert (mask.format, mask.mode, mask.size) == ("PNG", "1", (32, 32))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["synthetic"] is True
    assert manifest["counts"] == {"train": 6, "val": 4, "test": 2}
    assert "generating 6 + 4 + 2 synthetic images into" in capsys.readouterr().err


def test_files_are_a_function_of_the_recipe(tmp_path):
    for folder, changes in {"a": {}, "b": {}, "c": {"seed": 1}}.items():
        write(tmp_path / folder, SyntheticImages(**{**FEW, **changes}))
    one, again, other = (content(tmp_path / folder) for folder in "abc")
    assert one == again
    assert one.keys() == other.keys()
    assert not any(one[name] == other[name] for name in one if name.endswith("jpg"))


def test_an_image_depends_on_neither_numbers_nor_other_classes(tmp_path):
    write(tmp_path / "few", SyntheticImages(**FEW))
    write(tmp_path / "more", SyntheticImages(**{**FEW, "classes": ["mug", "bolt", "gear"], "train": 4, "val": 0}))
    few, more = content(tmp_path / "few"), content(tmp_path / "more")
    assert all(few[name] == more[name] for name in few if name.startswith(("train/gear", "test/gear")))
    assert not [name for name in more if name.startswith("val")]


def test_no_two_images_are_alike():
    images = SyntheticImages(**FEW)
    shown = [
        scene(images, split, name, number).picture()[0].tobytes()
        for split in ("train", "val", "test")
        for name in ("chair", "gear")
        for number in range(5)
    ]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("name", SOLIDS)
def test_the_mask_is_where_the_image_differs_from_one_without_the_solid(name):
    drawn = draw_scene(name, 64, numpy_generator(3, len(name)))
    (image, mask), without = drawn.picture(), drawn.empty()
    differs = (image != without).any(2)
    assert not (differs & ~mask).any()
    assert (differs & mask).sum() > 0.95 * mask.sum()
    assert 0.01 < mask.mean() < 0.7


def test_the_same_random_numbers_give_the_same_surroundings_for_every_class():
    one, other = (draw_scene(name, 32, numpy_generator(1)) for name in ("mug", "stairs"))
    assert np.array_equal(one.empty(), other.empty())


def test_what_is_there_stays_and_another_recipe_needs_another_folder(tmp_path, monkeypatch):
    prepare_images(tmp_path, SyntheticImages(**FEW))
    monkeypatch.setattr(module, "write", None)
    prepare_images(tmp_path, SyntheticImages(**FEW))
    with pytest.raises(DataError, match=r"holds synthetic images made with .*delete that folder or set data.root"):
        prepare_images(tmp_path, SyntheticImages(**FEW, seed=1))


def test_files_of_others_are_refused_and_left_alone(tmp_path):
    (tmp_path / "train" / "chair").mkdir(parents=True)
    (tmp_path / "train" / "chair" / "00000.jpg").write_text("mine")
    before = content(tmp_path)
    with pytest.raises(DataError, match=r"not generated here: train.* read by data=image_folder data.root="):
        prepare_images(tmp_path, SyntheticImages(**FEW))
    assert content(tmp_path) == before


def test_a_generation_that_was_cut_off_starts_again(tmp_path, capsys, monkeypatch):
    def interrupt(images, split, name, number):
        if split == "val":
            raise KeyboardInterrupt
        return scene(images, split, name, number)

    monkeypatch.setattr(module, "scene", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare_images(tmp_path / "cut", SyntheticImages(**FEW))
    assert not (tmp_path / "cut" / "manifest.json").exists()
    monkeypatch.undo()
    for folder in ("cut", "whole"):
        prepare_images(tmp_path / folder, SyntheticImages(**FEW))
    assert "was cut off, starting again" in capsys.readouterr().err
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["chair", "gaer"]}, r"unknown class of solids in data.classes 'gaer' \(did you mean 'gear'\?\)"),
        ({"classes": ["chair"]}, r"data.classes=\['chair'\] must be at least two different classes"),
        ({"classes": ["chair", "mug", "chair"]}, "two different classes"),
        ({"train": 0}, r"data.train=0, data.val=2, data.test=1 \(images of each class\) must be .* train at least 1"),
        ({"val": -1}, r"data.val=-1"),
        ({"test": 100_001}, r"0 to 100,000"),
        ({"pixels": 8}, r"data.pixels=8 must be 16 to 1,024"),
        ({"pixels": 2000}, r"data.pixels=2000"),
        ({"seed": -1}, r"data.seed=-1 at least 0"),
    ],
)
def test_ranges(changes, said):
    with pytest.raises(ConfigError, match=said):
        SyntheticImages(**{**FEW, **changes})
