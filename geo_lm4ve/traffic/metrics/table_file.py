"""The per-scene table as a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from geo_lm4ve.files import atomic_path
from geo_lm4ve.traffic.metrics.table import SceneTable

SUFFIXES = (".csv", ".parquet")
"""Kinds of file."""


def write_table(path: Path, table: SceneTable) -> None:
    """Write a table as csv or parquet, by the suffix of the file; ValueError for another suffix."""
    if path.suffix not in SUFFIXES:
        raise ValueError(f"a table is written as {' or '.join(SUFFIXES)}, not as {path.name!r}")
    with atomic_path(path) as temporary:
        if path.suffix == ".parquet":
            pq.write_table(pa.table(table), temporary)
            return
        with temporary.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(table)
            writer.writerows(zip(*table.values()))
