"""A folder of clouds as a table: clouds per class and split, shapes and ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group
from rich.table import Table

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points.files import Clouds, read_names, read_split
from geo_lm4ve.words import marked


def point_table(root: Path, expected: dict[str, int]) -> Group:
    """Read every cloud of ``root`` and count them.

    Raises:
        DataError: damaged files, or other numbers of clouds than ``expected``.
    """
    names = read_names(root)
    return split_table(
        str(root), names, {split: read_split(root, split, names) for split in ("train", "test")}, expected
    )


def split_table(title: str, names: Sequence[str], splits: Mapping[str, Clouds], expected: dict[str, int]) -> Group:
    """Clouds that were read, counted by class.

    Raises:
        DataError: other numbers of clouds than ``expected``.
    """
    counts = {split: len(clouds) for split, clouds in splits.items()}
    if any(counts.get(split) != count for split, count in expected.items()):
        raise DataError(f"{title} holds {counts} clouds, expected are {expected}; prepare the data again")
    table = Table("label", "class", *splits, title=marked((title, "table.title")))
    per_class = [clouds.labels.bincount(minlength=len(names)).tolist() for clouds in splits.values()]
    for label, (name, *row) in enumerate(zip(names, *per_class)):
        table.add_row(str(label), marked(name), *map(str, row))
    table.add_section()
    table.add_row("", "all", *(str(count) for count in counts.values()))
    return Group(table, *map(_line, splits.items()))


def _line(item: tuple[str, Clouds]) -> str:
    split, clouds = item
    norms = clouds.points.norm(dim=-1)
    return (
        f"{split}: data {tuple(clouds.points.shape)} float32, coordinates {clouds.points.min():.4f} to "
        f"{clouds.points.max():.4f}, farthest point of a cloud {norms.amax(1).min():.4f} to {norms.max():.4f}, "
        f"labels {clouds.labels.min()} to {clouds.labels.max()}"
    )
