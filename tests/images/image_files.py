"""Image files, folders and archives of them, as somebody else would write them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int = 0, width: int = 12, height: int = 10) -> Image.Image:
    """An image of random colours."""
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def png(seed: int = 0, width: int = 12, height: int = 10) -> bytes:
    """The bytes of a file of ``picture``."""
    return encoded(picture(seed, width, height))


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """The files as members of a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, method)
    return path


def write_tar(path: Path, files: Mapping[str, bytes], mode: str = "w") -> Path:
    """The files as members of a tar."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def class_folders(splits: Mapping[str, int], classes: tuple[str, ...] = ("cat", "dog")) -> dict[str, bytes]:
    """``split/CLASS/NUMBER.png``, so many of each class; a split "" has no folder of its own."""
    files: dict[str, bytes] = {}
    for split, count in splits.items():
        for name in classes:
            for number in range(count):
                files[f"{split}/{name}/{number}.png".lstrip("/")] = png(len(files))
    return files


def table_files(rows: int = 6, masks: bool = False) -> dict[str, bytes]:
    """Images that a table lists, with names of two classes, masks beside them if wanted."""
    lines = ["file,label,split"]
    files = {"classes.txt": b"cat\ndog\n"}
    for row in range(rows):
        split = "train" if row < rows - 2 else "val"
        lines.append(f"{split}/{row}.jpg,{row % 2},{split}")
        files[f"{split}/{row}.jpg"] = encoded(picture(row), "JPEG")
        if masks:
            files[f"{split}/{row}.png"] = encoded(picture(row).convert("1"))
    return {**files, "labels.csv": "\n".join(lines).encode()}
