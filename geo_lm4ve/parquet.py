"""Columns of a parquet file, whose declared sizes and types are checked before anything is read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64

from geo_lm4ve.reading import check_bytes

NUMBERS = pa.list_(pa.float64())
"""Type of a column with a list of numbers in each row."""
RATIO = 1000.0
"""How many times its size a parquet file may hold: equal values in a row cost nearly nothing."""
_VALUE = 8
"""Bytes of a value in memory, at most."""


@dataclass(frozen=True)
class Texts:
    """A column of texts.

    Attributes:
        names: distinct texts, in order of appearance.
        rows: the place of each row's text among them.
    """

    names: list[str]
    rows: Int64[np.ndarray, " n"]


def read_columns(path: Path, kinds: Mapping[str, pa.DataType]) -> dict[str, pa.Array]:
    """Some columns of a file, without empty values; call it inside a guard (``geo_lm4ve/reading.py``).

    Args:
        path: of the file.
        kinds: type wanted of each column: int64, float64, string (``texts_of`` reads it) or NUMBERS.

    Raises:
        ValueError: a column is missing, there twice, of another kind or has empty values; the file is damaged, or
            declares more than it can hold.
    """
    texts = [name for name, kind in kinds.items() if pa.types.is_string(kind)]
    _check_schema(pq.read_schema(path, memory_map=False), kinds)
    with pq.ParquetFile(path, read_dictionary=texts, memory_map=False) as file:
        _touch_columns(file, list(kinds))
        _check_size(file.metadata, kinds, path.stat().st_size)
        table = file.read(columns=list(kinds), use_threads=False)
    return {name: _column(table[name], name, kind) for name, kind in kinds.items()}


def texts_of(column: pa.Array) -> Texts:
    """A column of kind string."""
    stored, codes = column.dictionary.to_pylist(), column.indices.to_numpy()
    distinct: dict[str, int] = {}
    number = np.array([distinct.setdefault(text, len(distinct)) for text in stored], dtype=np.int64)
    used, first, rows = np.unique(number[codes], return_index=True, return_inverse=True)
    order = np.argsort(first)
    names = list(distinct)
    return Texts([names[place] for place in used[order]], np.argsort(order)[rows])


def _check_schema(schema: pa.Schema, kinds: Mapping[str, pa.DataType]) -> None:
    for name, kind in kinds.items():
        if (count := schema.names.count(name)) != 1:
            raise ValueError(f"it has {count or 'no'} columns {name}; there are: {_shown(schema.names)}")
        found = schema.field(name).type
        if not _fits(found, kind):
            raise ValueError(f"column {name} is of another type: {str(found)[:60]}, not {kind}")


def _shown(names: Sequence[str]) -> str:
    return ", ".join(f"{name:.60}" for name in names[:20]) + (", …" if len(names) > 20 else "")


def _fits(found: pa.DataType, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(found):
        found = found.value_type
    number = pa.types.is_integer(found) or pa.types.is_floating(found)
    if pa.types.is_list(kind):
        lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        return any(is_one(found) for is_one in lists) and _fits(found.value_type, kind.value_type)
    if pa.types.is_string(kind):
        return pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_integer(found)
    return number


def _touch_columns(file: pq.ParquetFile, names: list[str]) -> None:
    """Let pyarrow look at the record of every column while it catches what is wrong with one.

    ``RowGroupMetaData.column``, which ``_check_size`` needs, does not: there a damaged record ends the process.
    """
    for number in range(file.metadata.num_row_groups):
        next(file.iter_batches(batch_size=1, row_groups=[number], columns=names, use_threads=False), None)


def _check_size(metadata: pq.FileMetaData, kinds: Mapping[str, pa.DataType], stored: int) -> None:
    """Refuse more rows and values than the file can hold: what is declared is what memory is asked for."""
    needed, rows = 0, 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        rows += group.num_rows
        for place in range(group.num_columns):
            if metadata.schema.column(place).path.split(".")[0] in kinds:
                chunk = group.column(place)
                if min(chunk.num_values, chunk.total_uncompressed_size, group.num_rows) < 0:
                    raise ValueError(f"column {chunk.path_in_schema:.60} declares a size below 0")
                needed += _VALUE * max(chunk.num_values, group.num_rows) + chunk.total_uncompressed_size
    if rows != metadata.num_rows:
        raise ValueError(f"it declares {metadata.num_rows:,} rows and has {rows:,}")
    check_bytes(needed, f"its {rows:,} rows", stored=stored, ratio=RATIO)


def _column(column: pa.ChunkedArray, name: str, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_string(kind):
        values = column.cast(kind).combine_chunks()
        empty = values.null_count + (values.flatten().null_count if pa.types.is_list(kind) else 0)
    else:
        coded = column if pa.types.is_dictionary(column.type) else column.cast(kind).dictionary_encode()
        values = coded.unify_dictionaries().combine_chunks()
        empty = values.null_count + values.dictionary.null_count
    if empty:
        raise ValueError(f"column {name} has {empty:,} empty values")
    return values
