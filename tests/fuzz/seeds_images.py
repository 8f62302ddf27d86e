"""Image files of every kind, archives of them, and tables that say what they show."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from image_files import encoded, picture, table_files, write_files, write_tar, write_zip
from mutate import BYTES
from mutate_packed import SAFETENSORS, ZIP
from mutate_text import JSON, TEXT
from mutate_unpacked import TAR, ZIP_NAMES
from PIL import Image
from seed import Seed

from geo_lm4ve.images.decode import decoded, decoded_mask, image_size, read_image
from geo_lm4ve.images.formats.wnids import wnids
from geo_lm4ve.images.scoring.scorer import scored
from geo_lm4ve.options import load_option
from geo_lm4ve.run_files import read_results

KINDS = {"jpeg": "RGB", "cmyk jpeg": "CMYK", "png": "RGBA", "palette png": "P", "webp": "RGB", "gif": "P", "bmp": "RGB"}
KINDS |= {"tiff": "RGB", "ppm": "RGB"}


def _image(kind: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif} if "jpeg" in kind else {}
        (folder / "image").write_bytes(encoded(picture(0, 40, 30).convert(KINDS[kind]), kind.split()[-1], **options))
        return folder / "image"

    return write


def _look(path: Path) -> None:
    """As somebody does who predicts, trains and looks at masks."""
    image = read_image(path)
    content = path.read_bytes()
    assert image.mode == "RGB"
    assert np.asarray(image).shape == (image.height, image.width, 3)
    assert decoded(path, content).size == image.size
    image_size(path, content)
    assert decoded_mask(path, content).mode == "L"


def _zip(folder: Path) -> Path:
    return write_zip(folder / "set.zip", table_files(masks=True))


def _tar(folder: Path) -> Path:
    return write_tar(folder / "set.tar", {f"set/{name}": content for name, content in table_files(masks=True).items()})


def _note(folder: Path) -> Path:
    """What is noted of the tar when it is first read."""
    _read(_tar(folder))
    return next((folder / "cache" / "tar_index").glob("*.json"))


def _read_tar_again(note: Path) -> None:
    """A spoiled note is made again; one that is plausible leads to what is named."""
    _read(note.parents[2] / "set.tar")


def _solution(folder: Path) -> Path:
    write_files(folder, {f"train/{name}/1.JPEG": encoded(picture()) for name in wnids()[:2]})
    write_files(folder, {f"val/{row}.JPEG": encoded(picture()) for row in range(2)})
    path = folder / "LOC_val_solution.csv"
    path.write_text("ImageId,PredictionString\n" + "".join(f"{row},{wnids()[row]} 1 2 3 4 \n" for row in range(2)))
    return path


def _read_imagenet(path: Path) -> None:
    source = load_option("data", "imagenet", {"root": str(path.parent), "allow_other_counts": True}).build()
    assert source.info.counts == {"train": 2, "val": 2}


def _shards(folder: Path) -> Path:
    """Two shards of train with labels in both ways."""
    image = encoded(picture(), "JPEG")
    write_tar(folder / "train-0.tar", {"a.jpg": image, "a.cls": b"0", "b.jpg": image, "b.json": b'{"label": 1}'})
    write_tar(folder / "train-1.tar", {"c.jpg": image, "c.cls": b"1", "d.jpg": image, "d.cls": b"0"})
    return folder / "train-0.tar"


def _read_shards(path: Path) -> None:
    changes = {"root": str(path.parent), "size": 8, "val_fraction": 0.0}
    source = load_option("data", "image_shards", changes).build()
    for batch in source.loader("train", batch_size=1, train=False, seed=0).batches(0):
        assert 0 <= int(batch.labels) < len(source.info.classes)


def _cifar(binary: bool) -> Callable[[Path], Path]:
    """Two images a file; the first one of train is spoiled."""

    def write(folder: Path) -> Path:
        suffix, rows = ".bin" if binary else "", np.arange(2 * 3072, dtype=np.uint32).astype(np.uint8).reshape(2, 3072)
        content = pickle.dumps({b"labels": [3, 9], b"data": rows.tobytes(), b"filenames": ["a", "b"]}, 3)
        if binary:
            content = np.concatenate([np.array([[3], [9]], np.uint8), rows], 1).tobytes()
        names = [f"data_batch_{number}{suffix}" for number in range(1, 6)]
        write_files(folder, dict.fromkeys((*names, f"test_batch{suffix}"), content))
        return folder / names[0]

    return write


def _read_cifar(path: Path) -> None:
    source = load_option("data", "cifar10", {"root": str(path.parent), "allow_other_counts": True}).build()
    assert source.info.counts["test"] == 2


def _idx(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        images = struct.pack(">HBB3I", 0, 8, 3, 6, 5, 5) + bytes(range(150))
        labels = struct.pack(">HBBI", 0, 8, 1, 6) + bytes((0, 1, 2, 0, 1, 2))
        for split in ("train", "t10k"):
            files = {f"{split}-images-idx3-ubyte": images, f"{split}-labels-idx1-ubyte": labels}
            write_files(folder, {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in files.items()})
        if not name.endswith(".gz"):
            (folder / f"{name}.gz").unlink()
            (folder / name).write_bytes(images if "images" in name else labels)
        return folder / name

    return write


def _read_idx(path: Path) -> None:
    source = load_option("data", "idx", {"root": str(path.parent), "size": 5}).build()
    for split in source.splits:
        for batch in source.loader(split, batch_size=1, train=False, seed=0).batches(0):
            assert batch.pixels.isfinite().all()
            assert 0 <= int(batch.labels) < len(source.info.classes)


def _table(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        return write_files(folder / "set", table_files(masks=True)) / name

    return write


def _read(root: Path) -> None:
    config = load_option("data", "image_folder", {"root": str(root), "size": 8, "share": 1.0, "masks": ".png"})
    source = config.build()
    for split in source.splits:
        for batch in source.loader(split, batch_size=1, train=False, seed=0).batches(0):
            assert batch.pixels.isfinite().all()
            assert 0 <= int(batch.labels) < len(source.info.classes)


def _kept(folder: Path) -> Path:
    """The pixels of train of the zip, which are kept when it is first read."""
    _read(_zip(folder))
    return max((folder / "cache" / "decoded_images").glob("*.safetensors"), key=lambda path: path.stat().st_size)


def _read_again(path: Path) -> None:
    """Whatever became of what was kept, pixels are those of the files."""
    before = path.read_bytes()
    config = load_option("data", "image_folder", {"root": str(path.parents[2] / "set.zip"), "masks": ".png"})
    plain, found = config.pictures().splits["train"], config.build().splits["train"]
    for row in range(len(plain)):
        assert np.array_equal(np.asarray(found.image(row)), np.asarray(plain.image(row)))
    path.write_bytes(before)


_DECODE = tuple(f"geo_lm4ve.images.decode.{name}" for name in ("read_image", "decoded", "decoded_mask", "image_size"))
_KEPT = "geo_lm4ve.images.stores.kept_file.read_kept"
_IDX, _CIFAR = "geo_lm4ve.images.formats.idx.read_idx", "geo_lm4ve.images.formats.cifar_files"
_TABLE = "geo_lm4ve.images.formats.table"


def _evaluation(folder: Path) -> Path:
    data = {"name": "imagenet_c", "corruption": "fog", "severity": 3}
    protocol = {"split": "test", "checkpoint": "runs/a"}
    results = {"metrics": {"overall_accuracy": 0.5}, "config": {"data": data}, "protocol": protocol, "experiment": "e"}
    (folder / "results.json").write_text(json.dumps(results))
    return folder / "results.json"


def _read_evaluation(path: Path) -> None:
    if (one := scored(path, read_results(path))) is not None:
        assert 1 <= one.severity <= 5
        assert 0 <= one.accuracy <= 1


SEEDS = (
    Seed("evaluation on ImageNet-C", ("geo_lm4ve.images.scoring.scorer.scored",), _evaluation, _read_evaluation, JSON),
    *(Seed(kind, _DECODE, _image(kind), _look, BYTES) for kind in KINDS),
    Seed("kept pixels", (_KEPT,), _kept, _read_again, (*SAFETENSORS, *BYTES), forgiving=True),
    Seed("zip of images", ("geo_lm4ve.images.stores.archive.open_zip",), _zip, _read, (*ZIP, *ZIP_NAMES)),
    Seed("tar of images", ("geo_lm4ve.images.stores.tar.open_tar",), _tar, _read, (*TAR, *BYTES)),
    Seed("note on a tar", ("geo_lm4ve.images.stores.tar.read_note",), _note, _read_tar_again, JSON, forgiving=True),
    Seed(
        "val of ImageNet", ("geo_lm4ve.images.formats.imagenet.read_solution",), _solution, _read_imagenet, TEXT,
    ),
    *(
        Seed(name, (_IDX,), _idx(name), _read_idx, BYTES)
        for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte")
    ),
    Seed(
        "shard of images", ("geo_lm4ve.images.formats.image_shards.read_label",), _shards, _read_shards,
        (*TAR, *BYTES, *TEXT),
    ),
    Seed("CIFAR for Python", (f"{_CIFAR}.read_pickled",), _cifar(False), _read_cifar, BYTES),
    Seed("binary CIFAR", (f"{_CIFAR}.read_binary",), _cifar(True), _read_cifar, BYTES),
    Seed(
        "table of images", (f"{_TABLE}.read_table",), _table("labels.csv"), lambda path: _read(path.parent), TEXT,
    ),
    Seed(
        "classes of images", (f"{_TABLE}.read_classes",), _table("classes.txt"), lambda path: _read(path.parent), TEXT,
    ),
)  # fmt: skip
