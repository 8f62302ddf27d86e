"""Classes that are folders: ``train/CLASS/…``, ``val/CLASS/…``, ``test/CLASS/…``, or ``CLASS/…`` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.data.manifest import MANIFEST
from geo_lm4ve.images.formats.listing import SPLITS, Listed, few, is_image
from geo_lm4ve.images.stores.store import Store
from geo_lm4ve.notice import say


def by_folders(store: Store, masks: str = "") -> Listed:
    """The images of a store whose folders are classes, those of train in alphabetical order.

    What lies beside the folders of classes is counted and said; without folders of splits everything is ``train``.

    Args:
        store: that holds them.
        masks: suffix of files that are masks.

    Raises:
        DataError: there is no image in a folder of a class, a class has no image, two folders are one split, or one
            has a class that train does not have.
    """
    folders = _split_folders(store)
    classes = _classes(store, folders["train"])
    labels = {name: label for label, name in enumerate(classes)}
    splits: dict[str, list[tuple[str, int]]] = {split: [] for split in folders}
    left: Counter[str] = Counter()
    strange: list[str] = []
    for name in store.names():
        split = next((split for split, folder in folders.items() if name.startswith(folder)), None)
        rest = name.removeprefix(folders[split]) if split else name
        folder, inside, _ = rest.partition("/")
        if split is None or not inside or not is_image(name, masks):
            left[_reason(name, masks, bool(split))] += 1
        elif folder not in labels:
            strange.append(f"{folders[split]}{folder}")
        else:
            splits[split].append((name, labels[folder]))
    if strange:
        raise DataError(
            f"{store.place}: these folders have no counterpart in train: {few(sorted(set(strange)))}; the classes are "
            f"those of train, {len(classes)} in all: rename them, or move them away"
        )
    _check_filled(store, folders, splits, classes)
    _say_left(store, left)
    return Listed({split: images for split, images in splits.items() if images}, classes)


def _split_folders(store: Store) -> dict[str, str]:
    """Split -> its folder with its slash; ``train`` -> "" where no folder is one."""
    found: dict[str, str] = {}
    for folder in store.folders():
        if "/" not in folder and (split := SPLITS.get(folder.lower())):
            if split in found:
                raise DataError(f"{store.place} has both {found[split]} and {folder}/ for {split}: keep one of them")
            found[split] = f"{folder}/"
    return found if "train" in found else {"train": ""}


def _classes(store: Store, train: str) -> tuple[str, ...]:
    inside = [folder.removeprefix(train) for folder in store.folders() if folder.startswith(train)]
    classes = tuple(sorted(name for name in inside if "/" not in name))
    if not classes:
        raise DataError(
            f"{store.place} has no folder of a class: images lie in CLASS/…, train/CLASS/… and val/CLASS/…, or "
            "labels.csv lists them (columns file, label, split)"
        )
    return classes


def _reason(name: str, masks: str, of_a_split: bool) -> str:
    if (masks and name.endswith(masks)) or name == MANIFEST:
        return ""
    if not is_image(name):
        suffix = name.rpartition("/")[2].rpartition(".")
        return f"{suffix[2]} files" if suffix[1] else "files without suffix"
    return "images outside of folders of classes" if of_a_split else "images outside of train, val and test"


def _check_filled(
    store: Store, folders: dict[str, str], splits: dict[str, list[tuple[str, int]]], classes: Sequence[str]
) -> None:
    for split, images in splits.items():
        there = {label for _, label in images}
        empty = [name for label, name in enumerate(classes) if label not in there]
        if empty and split == "train":
            raise DataError(
                f"{store.place}: {len(empty):,} of {len(classes):,} classes have no image in train: {few(empty)}; add "
                "images or remove the folders"
            )
        if empty and images:
            counted = f"{len(empty):,} of {len(classes):,} classes"
            say(f"{store.place}: {folders[split]} has no image of {counted}: {few(empty)}")


def _say_left(store: Store, left: Counter[str]) -> None:
    left.pop("", None)
    if left:
        parts = few([f"{count:,} {reason}" for reason, count in left.most_common()])
        say(f"{store.place}: left out: {parts}")
