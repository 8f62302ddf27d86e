"""Ways to spoil a parquet file that keep it well-formed: other types and values, columns, rows, sizes."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mutate import BYTES, flip
from mutate_text import ODD_WORDS
from seed import Mutator

Change = Callable[[pa.Table, int, random.Random], pa.Table]

_TYPES = (
    pa.int8(), pa.int32(), pa.uint64(), pa.float16(), pa.float32(), pa.bool_(), pa.string(), pa.large_string(),
    pa.binary(), pa.timestamp("ns"), pa.date32(), pa.decimal128(20, 3), pa.dictionary(pa.int32(), pa.string()),
    pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float64(), 60), pa.null(), pa.duration("s"),
)  # fmt: skip
_NUMBERS = (
    None, math.nan, math.inf, -math.inf, 0, -1, 1, 7, 0.5, 50, 110, 128, 1e9, 1e12, 1e300, 2**31, 2**53, 2**62,
)  # fmt: skip


def _replaced(table: pa.Table, place: int, column: Any) -> pa.Table:
    return table.set_column(place, table.schema.names[place], column)


def _type(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """The values in another type, or none of them where they cannot be had in it."""
    kind = chance.choice(_TYPES)
    try:
        column = table.column(place).cast(kind, safe=False)
    except pa.ArrowException:
        column = pa.nulls(len(table), kind)
    return _replaced(table, place, column)


def _value(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """Some values are others, or empty."""
    values = table.column(place).to_pylist()
    for _ in range(chance.choice((1, 1, 5)) if values else 0):
        row = chance.randrange(len(values))
        if isinstance(values[row], list) and values[row] and chance.random() < 0.7:
            values[row][chance.randrange(len(values[row]))] = chance.choice(_NUMBERS)
        elif isinstance(values[row], list):
            values[row] = chance.choice(([], None, values[row] * 2, values[row][:-1]))
        elif isinstance(values[row], str):
            values[row] = chance.choice((*ODD_WORDS, None, chance.choice(values)))
        else:
            values[row] = chance.choice(_NUMBERS)
    return _replaced(table, place, _as(values, table.schema.types[place]))


def _as(values: list[Any], kind: pa.DataType) -> pa.Array:
    """In the column's own type where it holds them, else in one that does."""
    for wanted in (kind, pa.float64()):
        try:
            return pa.array(values, wanted)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
    return pa.array([None if value is None else str(value).encode(errors="replace").decode() for value in values])


def _columns(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """A column is missing, there twice, under another name, nested, or in another order."""
    name, column = table.schema.names[place], table.column(place)
    ways: tuple[Callable[[], pa.Table], ...] = (
        lambda: table.remove_column(place),
        lambda: table.append_column(name, column),
        lambda: table.rename_columns([*table.schema.names[:place], "x", *table.schema.names[place + 1 :]]),
        lambda: _replaced(table, place, pa.StructArray.from_arrays([column.combine_chunks()], ["a"])),
        lambda: table.select(table.schema.names[::-1]),
    )
    return chance.choice(ways)()


def _rows(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """Rows are missing, there twice, or in another order."""
    rows = list(range(len(table)))
    if rows:
        row = chance.randrange(len(rows))
        rows = chance.choice((rows[:row], rows[row:], [*rows, row], rows[::-1], [], rows[:row] + rows[row + 1 :]))
    return table.take(pa.array(rows, pa.int64()))


def _many(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """One row, a million times over: a run of equal values takes no room."""
    count = chance.choice((10**4, 10**6))
    row = table.slice(0, 1)
    if not len(table) or any(pa.types.is_nested(kind) for kind in row.schema.types):
        return pa.concat_tables([table] * 20)
    return pa.table({name: pa.repeat(row.column(name)[0], count) for name in row.schema.names})


def _bulky(table: pa.Table, place: int, chance: random.Random) -> pa.Table:
    """A long text in every row, stored once."""
    return _replaced(table, place, pa.DictionaryArray.from_arrays(np.zeros(len(table), np.int32), ["x" * 10**5]))


_WAYS: tuple[Change, ...] = (_type, _type, _value, _value, _value, _columns, _rows, _many, _bulky)


def parquet_column(content: bytes, chance: random.Random) -> bytes:
    """The table says something else."""
    try:
        table = pq.read_table(io.BytesIO(content))
    except Exception:  # noqa: BLE001 (an earlier mutation has spoiled it; that provokes any)
        return flip(content, chance)
    if not table.num_columns or len(set(table.schema.names)) < table.num_columns:
        return flip(content, chance)
    try:
        return _written(chance.choice(_WAYS)(table, chance.randrange(table.num_columns), chance), chance)
    except (
        pa.ArrowException,
        TypeError,
        ValueError,
        OverflowError,
    ):  # what pyarrow cannot make, or parquet cannot hold
        return flip(content, chance)


def _written(table: pa.Table, chance: random.Random) -> bytes:
    target = io.BytesIO()
    coded = any(pa.types.is_dictionary(kind) for kind in table.schema.types)
    pq.write_table(
        table, target,
        compression=chance.choice(("snappy", "zstd", "gzip", "none")),
        use_dictionary=coded or chance.random() < 0.7,
        row_group_size=chance.choice((None, None, 7)) if len(table) < 10**4 else None,
    )  # fmt: skip
    return target.getvalue()


PARQUET: tuple[Mutator, ...] = (parquet_column,) * 8 + BYTES
