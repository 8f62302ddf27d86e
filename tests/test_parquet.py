"""Columns of parquet files: what is declared is held against the file, empty values and other kinds are refused."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo_lm4ve.parquet import NUMBERS, RATIO, read_columns, texts_of

KINDS = {"step": pa.int64(), "x": pa.float64(), "name": pa.string(), "line": NUMBERS}
GOOD = {
    "step": pa.array([3, 1, 2], pa.int32()), "x": pa.array([0.5, 1.0, 2.0], pa.float32()),
    "name": pa.array(["b", "a", "b"]), "line": pa.array([[1.0], [], [2.0, 3.0]]),
}  # fmt: skip

SPOIL = """
import itertools
import sys
from pathlib import Path
import pyarrow as pa
from geo_lm4ve.parquet import read_columns

path, ends = Path(sys.argv[1]), [0, 0]
whole = path.read_bytes()
footer = range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole) - 8)
for place, bit in itertools.product(footer, (1, 2, 8, 64)):
    path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    try:
        read_columns(path, {"x": pa.float64(), "name": pa.string()})
        ends[0] += 1
    except Exception:
        ends[1] += 1
print(*ends)
"""


def write(folder, **changed):
    pq.write_table(pa.table({**GOOD, **changed}), path := folder / "table.parquet")
    return path


def test_columns_come_in_the_kind_that_is_asked_for(tmp_path):
    columns = read_columns(write(tmp_path), KINDS)
    assert columns["step"].to_pylist() == [3, 1, 2]
    assert columns["step"].type == pa.int64()
    assert columns["x"].type == pa.float64()
    assert columns["line"].to_pylist() == [[1.0], [], [2.0, 3.0]]
    texts = texts_of(columns["name"])
    assert texts.names == ["b", "a"]
    assert texts.rows.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "names",
    [
        pa.array(["b", "a", "b"], pa.large_string()),
        pa.array(["b", "a", "b"]).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["b", "a", "b"])),
        pa.DictionaryArray.from_arrays(pa.array([2, 1, 2]), pa.array(["never", "a", "b"])),
    ],
    ids=["large", "encoded", "twice in the dictionary", "never used"],
)
def test_texts_are_the_same_however_they_are_stored(tmp_path, names):
    texts = texts_of(read_columns(write(tmp_path, name=names), {"name": pa.string()})["name"])
    assert [texts.names[row] for row in texts.rows] == ["b", "a", "b"]
    assert texts.names == ["b", "a"]


def test_numbers_serve_as_names(tmp_path):
    assert texts_of(read_columns(write(tmp_path, name=pa.array([7, 12, 7])), {"name": pa.string()})["name"]).names == [
        "7", "12",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"step": pa.array([1, None, 2])}, "column step has 1 empty values"),
        ({"name": pa.array([None, "a", "b"])}, "column name has 1 empty values"),
        ({"line": pa.array([[1.0], None, []])}, "column line has 1 empty values"),
        ({"line": pa.array([[1.0], [None], []])}, "column line has 1 empty values"),
        ({"x": pa.array(["1", "2", "3"])}, "column x is of another type: string, not double"),
        ({"x": pa.array([True, False, True])}, "column x is of another type: bool"),
        ({"line": pa.array([["a"], [], []])}, "column line is of another type"),
        ({"step": pa.array([0.5, 1.0, 2.0])}, "truncated"),
        ({"name": pa.array([b"a", b"b", b"c"])}, "column name is of another type: binary"),
    ],
)
def test_other_kinds_and_empty_values_are_refused(tmp_path, changed, words):
    with pytest.raises(ValueError, match=words):
        read_columns(write(tmp_path, **changed), KINDS)


def test_columns_that_are_missing_or_there_twice_are_refused(tmp_path):
    pq.write_table(pa.table([GOOD["x"], GOOD["x"]], ["x", "x"]), tmp_path / "twice.parquet")
    with pytest.raises(ValueError, match="2 columns x"):
        read_columns(tmp_path / "twice.parquet", {"x": pa.float64()})
    with pytest.raises(ValueError, match="no columns y; there are: step, x, name, line"):
        read_columns(write(tmp_path), {"y": pa.float64()})


def test_rows_that_a_file_cannot_hold_are_refused(tmp_path):
    """Equal values cost nothing: eight million numbers in a few kilobytes."""
    path = tmp_path / "run.parquet"
    pq.write_table(pa.table({"x": pa.repeat(pa.scalar(1.0), 2 * 10**6)}), path)
    assert RATIO * path.stat().st_size < 8 * 2 * 10**6
    with pytest.raises(ValueError, match=r"its 2,000,000 rows would take .* the file has"):
        read_columns(path, {"x": pa.float64()})


def test_a_long_text_is_kept_once(tmp_path):
    """A thousand rows of a text of 100 kB: 100 MB if each row had its own."""
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1000, np.int32)), pa.array(["x" * 10**5]))
    pq.write_table(pa.table({"name": names}), path := tmp_path / "long.parquet")
    before = pa.total_allocated_bytes()
    column = read_columns(path, {"name": pa.string()})["name"]
    assert pa.total_allocated_bytes() - before < 10**6
    assert texts_of(column).names == ["x" * 10**5]


def test_no_damaged_bit_of_the_footer_ends_the_process(tmp_path):
    """Some make pyarrow throw where it does not catch: seen only in a process of its own."""
    pq.write_table(pa.table({"x": [0.5, 1.0], "name": ["a", "b"]}), path := tmp_path / "table.parquet")
    done = subprocess.run([sys.executable, "-c", SPOIL, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    read, refused = map(int, done.stdout.split())
    assert read > 0
    assert refused > read
