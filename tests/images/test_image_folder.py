"""One's own images in every layout; what is missing or odd is counted, named and says what to do."""

import numpy as np
import pytest
from image_files import class_folders, encoded, picture, png, table_files, write_files, write_zip
from PIL import Image

from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError


def build(root, **values):
    return load_option(
        "data", "image_folder", {"root": str(root), "size": 8, "share": 1.0, "cache_gib": 0.0, **values}
    ).build()


def batches(source, split):
    return list(source.loader(split, batch_size=4, train=False, seed=0).batches(0))


def labels(source, split):
    return [label for batch in batches(source, split) for label in batch.labels.tolist()]


def names(source, split):
    return [name for batch in batches(source, split) for name in batch.names]


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_folders_of_splits_and_classes(packed, tmp_path):
    files = class_folders({"train": 3, "valid": 2, "test": 1}, ("zebra", "cat"))
    root = write_zip(tmp_path / "set.zip", files) if packed else write_files(tmp_path / "set", files)
    source = build(root)
    assert source.info.classes == ("cat", "zebra")
    assert source.info.counts == {"train": 6, "val": 4, "test": 2}
    assert names(source, "val") == ["valid/cat/0.png", "valid/cat/1.png", "valid/zebra/0.png", "valid/zebra/1.png"]
    assert labels(source, "val") == [0, 0, 1, 1]


def test_folders_of_classes_alone_give_a_val_and_no_test(tmp_path):
    source = build(write_files(tmp_path, class_folders({"": 10})), val_fraction=0.2)
    assert source.info.counts == {"train": 16, "val": 4}
    with pytest.raises(DataError, match="has no split 'test', only train, val"):
        source.loader("test", batch_size=1, train=False, seed=0)


def test_pixels_and_masks_are_those_of_the_files(tmp_path):
    files = table_files(masks=True)
    source = build(write_zip(tmp_path / "set.zip", files), masks=".png", size=10)
    (batch,) = batches(source, "val")
    assert batch.names == ("val/4.jpg", "val/5.jpg")
    middle = np.asarray(picture(4).convert("1"))[:, 1:11]
    assert np.array_equal(batch.masks[0].numpy(), middle)


@pytest.mark.parametrize("labels_are", ["numbers", "names", "numbers without names", "names without a list"])
def test_tables_have_numbers_or_names(labels_are, tmp_path):
    files = table_files()
    if labels_are.startswith("names"):
        files["labels.csv"] = files["labels.csv"].replace(b",0,", b",cat,").replace(b",1,", b",dog,")
    if "without" in labels_are:
        del files["classes.txt"]
    source = build(write_files(tmp_path, files))
    assert source.info.classes == (("0", "1") if labels_are == "numbers without names" else ("cat", "dog"))
    assert source.info.counts == {"train": 4, "val": 2}
    assert labels(source, "val") == [0, 1]


def test_a_table_elsewhere_with_other_names_of_columns_and_without_a_split(tmp_path):
    write_files(tmp_path / "set", {f"{n}.png": png(n) for n in range(4)})
    (tmp_path / "mine.csv").write_text(
        "id,Class,filename\n" + "".join(f"7,{'ab'[n % 2]},./{n}.png\n" for n in range(4))
    )
    source = build(tmp_path / "set", table=str(tmp_path / "mine.csv"), val_fraction=0.5)
    assert source.info.counts == {"train": 2, "val": 2}
    assert source.info.classes == ("a", "b")


TABLE = table_files()
CSV = TABLE["labels.csv"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no folder of a class"),
        ({"1.png": png()}, "has no folder of a class"),
        ({"cat/1.png": png(), "dog/x.txt": b""}, r"1 of 2 classes have no image in train: dog; add images"),
        (
            {**class_folders({"train": 1}), "val/cow/1.png": png()},
            r"these folders have no counterpart in train: val/cow; .* 2 in all",
        ),
        ({**class_folders({"val": 1, "valid": 1, "train": 1})}, r"has both val/ and valid/ for val: keep one"),
        ({k: v for k, v in TABLE.items() if k != "train/1.jpg"}, r"lists 6 files, 1 of them are not in .*: train/1"),
        ({**TABLE, "labels.csv": CSV + b"\ntrain/0.jpg,1,val"}, r"lists 1 files more than once: train/0\.jpg; keep"),
        ({**TABLE, "labels.csv": CSV.replace(b",0,", b",9,")}, r"has 3 labels that are none of .*numbers from 0 to 1"),
        ({**TABLE, "classes.txt": b"cat\ndog\ncow"}, r"lists no image of train for 1 of 3 classes: cow; add some"),
        ({**TABLE, "classes.txt": b"cat\ncat"}, r"classes\.txt .*named more than once: cat"),
        ({**TABLE, "labels.csv": CSV.replace(b",train", b",exam")}, r"line 2 has the split 'exam'; known: train"),
        ({**TABLE, "labels.csv": CSV.replace(b"file,", b"name,")}, "none of its columns is called file or path"),
        ({**TABLE, "labels.csv": CSV + b"\ntrain/0.jpg"}, "line 8 has 1 fields, its first line has 3"),
        ({**TABLE, "labels.csv": CSV.split(b"\n")[0]}, "it lists no image"),
        ({**TABLE, "labels.csv": b"\xff\xfe\0"}, r"labels\.csv .*not a csv table of images"),
        ({**TABLE, "labels.csv": CSV.replace(b"train/1.jpg", b"../secret.jpg")}, r"not in .*: \.\./secret\.jpg"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_the_next_step(files, message, tmp_path):
    (tmp_path / "secret.jpg").write_bytes(png())
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match=message):
        build(write_files(tmp_path / "set", files))


def test_what_lies_beside_images_is_counted_and_said(tmp_path, capsys):
    files = {
        **class_folders({"train": 2, "val": 1}),
        "train/readme.md": b"",
        "train/cat/a.txt": b"",
        "extra/1.png": png(),
    }
    source = build(write_files(tmp_path, files))
    assert source.info.counts == {"train": 4, "val": 2}
    said = capsys.readouterr().err
    assert "left out: " in said
    for part in ("1 md files", "1 txt files", "1 images outside of train, val and test"):
        assert part in said


def test_masks_that_are_missing_or_of_another_size(tmp_path):
    files = table_files(masks=True)
    with pytest.raises(DataError, match=r"lacks 1 of 4 masks: train/0\.png; add them"):
        build(write_files(tmp_path / "a", {k: v for k, v in files.items() if k != "train/0.png"}), masks=".png")
    files["val/4.png"] = encoded(Image.new("1", (3, 3)))
    with pytest.raises(DataError, match=r"val/4\.png has 3 x 3 pixels, its image val/4\.jpg has 12 x 10"):
        batches(build(write_files(tmp_path / "b", files), masks=".png"), "val")


def test_a_damaged_image_met_in_training_is_named_with_its_batch(tmp_path):
    files = class_folders({"train": 2, "val": 1})
    files["train/dog/1.png"] = files["train/dog/1.png"][:60]
    source = build(write_files(tmp_path, files))
    with pytest.raises(DataError, match=r"train/dog/1\.png .*replace it or leave it out") as fault:
        list(source.loader("train", batch_size=4, train=True, seed=0).batches(0))
    assert "while batch 0 of epoch 0 was made, of images" in "".join(fault.value.__notes__)


def test_the_real_set(real_data):
    path = real_data / "fashion_on_photos" / "fashion_on_photos.zip"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    source = build(path, masks=".png", size=64, limit=100)
    assert source.info.counts == {"train": 100, "val": 100}
    whole = source.config.pictures()
    assert {split: len(one) for split, one in whole.splits.items()} == {"train": 8000, "val": 2000}
    assert whole.splits["train"].labels.bincount().tolist() == [800] * 10
    (batch, *_) = source.loader("val", batch_size=50, train=False, seed=0).batches(0)
    assert 0.05 < batch.masks.float().mean() < 0.25
