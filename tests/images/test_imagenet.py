"""ImageNet as unpacked and as Kaggle has it, and the sets that test its classifiers, in its numbering of classes."""

import pytest
from image_files import png, write_files, write_tar

from geo_lm4ve.config import ConfigError
from geo_lm4ve.images.formats.wnids import wnids
from geo_lm4ve.options import load_option
from geo_lm4ve.parts.data import DataError

FIRST, CAT, LAST = "n01440764", "n02123045", "n15075141"
TRAIN = {f"train/{name}/{name}_{number}.JPEG": png(number) for name in (FIRST, CAT) for number in range(4)}
VAL = {f"val/{name}/ILSVRC2012_val_0000000{row}.JPEG": png(row) for row, name in enumerate((CAT, FIRST))}
FLAT = {f"val/{name.rpartition('/')[2]}": content for name, content in VAL.items()}
SOLUTION = (
    f"ImageId,PredictionString\nILSVRC2012_val_00000000,{CAT} 1 2 3 4 \nILSVRC2012_val_00000001,{FIRST} 1 2 3 4\n"
)


def build(name, root, **values):
    values = {"root": str(root), "size": 8, "cache_gib": 0.0, "allow_other_counts": True, **values}
    return load_option("data", name, values).build()


def labels(source, split):
    return source.splits[split].labels.tolist()


def test_the_classes_are_in_the_order_of_published_classifiers():
    assert len(wnids()) == len(set(wnids())) == 1000
    assert list(wnids()) == sorted(wnids())
    places = {name: wnids().index(name) for name in (FIRST, CAT, "n04086273", LAST)}
    assert places == {FIRST: 0, CAT: 281, "n04086273": 763, LAST: 999}  # tench, tabby, revolver, toilet tissue


@pytest.mark.parametrize("layout", ["folders", "flat", "Kaggle"])
def test_layouts_of_imagenet(layout, tmp_path):
    files = {**TRAIN, **(VAL if layout == "folders" else FLAT)}
    if layout == "Kaggle":
        files = {f"ILSVRC/Data/CLS-LOC/{name}": content for name, content in files.items()}
    if layout != "folders":
        files["LOC_val_solution.csv"] = SOLUTION.encode()
    source = build("imagenet", write_files(tmp_path, files))
    assert source.info.classes == (FIRST, CAT)
    assert source.info.counts == {"train": 8, "val": 2}
    assert labels(source, "train") == [0] * 4 + [1] * 4
    named = {
        source.splits["val"].name(row).rpartition("/")[2]: label for row, label in enumerate(labels(source, "val"))
    }
    assert named == {"ILSVRC2012_val_00000000.JPEG": 1, "ILSVRC2012_val_00000001.JPEG": 0}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**TRAIN, **VAL}, r"must hold 1,281,167 images of train, it holds 8: .*data\.allow_other_counts=true"),
        ({**TRAIN, **FLAT}, r"has 2 images in no folder of a class: put LOC_val_solution\.csv"),
        ({**TRAIN, **VAL, "train/cats/1.JPEG": png()}, r"train/: 1 folders are none of the 1,000 classes, .*: cats;"),
        ({**VAL}, r"there is no train/ or no val/ in"),
        ({"ILSVRC2012_img_train.tar": b""}, r"holds ILSVRC2012_img_train\.tar, which are not read in place: unpack"),
        (
            {**TRAIN, **FLAT, "LOC_val_solution.csv": SOLUTION.replace(CAT, "n0").encode()},
            r"gives no class of 1,000 to 1 of 2 images: val/ILSVRC2012_val_00000000\.JPEG",
        ),
        ({**TRAIN, **FLAT, "LOC_val_solution.csv": b"a,b\n"}, r"its first line is not ImageId,PredictionString"),
    ],
)
def test_what_is_not_imagenet_is_refused(files, message, tmp_path):
    with pytest.raises(DataError, match=message):
        build("imagenet", write_files(tmp_path, files), allow_other_counts=False)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "tar"])
@pytest.mark.parametrize("name", ["imagenet_a", "imagenet_r", "imagenet_sketch"])
def test_variants_count_all_1000_classes(name, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("GEO_LM4VE_CACHE", str(tmp_path / "cache"))
    files = {f"set/{LAST}/1.jpg": png(), f"set/{CAT}/1.jpg": png(1), f"set/{CAT}/2.jpg": png(2), "set/README.txt": b""}
    root = write_tar(tmp_path / "set.tar", files) if packed else write_files(tmp_path, files) / "set"
    source = build(name, root)
    assert source.info.classes == wnids()
    assert source.info.counts == {"test": 3}
    assert labels(source, "test") == [281, 281, 999]
    (batch,) = source.loader("test", batch_size=5, train=False, seed=0).batches(0)
    assert batch.labels.tolist() == [281, 281, 999]
    with pytest.raises(DataError, match=r"must hold [\d,]+ images of ImageNet-.*, it holds 3"):
        build(name, root, allow_other_counts=False)


def test_corruptions_and_severities(tmp_path):
    files = {f"fog/3/{CAT}/1.JPEG": png(), f"noise/shot_noise/1/{FIRST}/1.JPEG": png()}
    write_files(tmp_path, files)
    fog = build("imagenet_c", tmp_path, corruption="fog", severity=3)
    assert labels(fog, "test") == [281]
    assert fog.info.title == "ImageNet-C fog 3 (8 x 8)"
    assert labels(build("imagenet_c", tmp_path, corruption="shot_noise"), "test") == [0]
    with pytest.raises(DataError, match=r"there is no .*snow.*5: set data\.root to the folder of ImageNet-C"):
        build("imagenet_c", tmp_path, corruption="snow", severity=5)
    with pytest.raises(ConfigError, match=r"data\.corruption: unknown corruption 'snwo' \(did you mean 'snow'"):
        build("imagenet_c", tmp_path, corruption="snwo")
    with pytest.raises(ConfigError, match=r"data\.severity=6 must be one of 1, 2, 3, 4, 5"):
        build("imagenet_c", tmp_path, severity=6)


def test_a_missing_folder_says_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match=r"there is no .*nowhere: .*datasets/imagenet says how to get it"):
        build("imagenet", tmp_path / "nowhere")
