"""Small folders of clouds in the layout of ModelNet40."""

from pathlib import Path

import h5py
import numpy as np

NAMES = ("ball", "disc", "rod")


def cloud_array(clouds: int, points: int, seed: int = 0) -> np.ndarray:
    """Normal clouds (clouds, points, 3) float32 with the first coordinate of point 0 set to the row: rows are known."""
    data = np.random.default_rng(seed).normal(size=(clouds, points, 3)).astype("f4")
    data[:, 0, 0] = np.arange(clouds)
    return data


def write_hdf5(path: Path, **datasets: object) -> Path:
    with h5py.File(path, "w") as file:
        for key, value in datasets.items():
            file[key] = value
    return path


def write_split(root: Path, split: str, clouds: int, points: int = 40, seed: int = 0) -> np.ndarray:
    """One file whose labels go round the classes; returns its clouds."""
    data = cloud_array(clouds, points, seed)
    write_hdf5(root / f"ply_data_{split}0.h5", data=data, label=(np.arange(clouds) % len(NAMES)).astype("u1")[:, None])
    return data


def write_scans(
    root: Path, variant: str = "augmentedrot_scale75", folder: str = "main_split", points: int = 40
) -> Path:
    """Both files of a variant of ScanObjectNN under their official names: 90 training, 15 test clouds, 15 classes."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for split, clouds in (("training", 90), ("test", 15)):
        path = root / folder / f"{split}_objectdataset{'_' * bool(variant)}{variant}.h5"
        mask = np.zeros((clouds, points), "f4")
        write_hdf5(
            path, data=cloud_array(clouds, points, len(split)), label=np.arange(clouds, dtype="i4") % 15, mask=mask
        )
    return root


def write_names(root: Path, names: tuple[str, ...] = NAMES) -> None:
    (root / "shape_names.txt").write_text("\n".join(names) + "\n")


def write_folder(root: Path, train: int = 30, test: int = 11, points: int = 40) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    write_split(root, "train", train, points)
    write_split(root, "test", test, points, seed=1)
    write_names(root)
    return root
