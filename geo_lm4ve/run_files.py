"""The files of a run, read back: each says what everyone who works with it relies on, or is an error that names it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geo_lm4ve.costs import cost_of
from geo_lm4ve.files import UserError
from geo_lm4ve.reading import Fields, json_object, reader

RESULTS, CONFIG, LOG, PREDICTIONS = "results.json", "config.yaml", "metrics.jsonl", "predictions.jsonl"
SELECTED = Path("checkpoints") / "selected.json"
TRAINING = "training.json"
"""Beside the weights of a checkpoint: what they were trained on."""

POSITIONS = ("step", "epoch")
"""Entries of a line of the log that say when; all others are values."""

_UNKNOWN = ("seed", "data", "data_root", "counts", "synthetic", "trained_on", "commit", "epoch")
"""Entries that are None where they are not known."""
_DEEP = 40
"""Levels of mappings and lists in a file of a run; the deepest that is written has a quarter of them."""
_LARGEST = 1e100
"""Squares and sums of metrics are computed."""
_REMEDY = "restore it, or train again"


class RunError(UserError, ValueError):
    """A file of a run that is missing, damaged or something else."""


@reader(RunError, "what a finished run writes", _REMEDY)
def read_results(path: Path) -> dict[str, Any]:
    """The content of ``results.json``: ``metrics`` are there, and what else is there is of the right kind."""
    results = json_object(path.read_bytes())
    _check_depth(results)
    if not results.get("metrics"):
        raise ValueError('there are no "metrics" in it')
    for name, value in Fields(results).fields("metrics").values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"metric {name!r} is {str(value)[:60]!r}, not a number")
        if _LARGEST < abs(value) < float("inf"):
            raise ValueError(f"metric {name!r} is beyond {_LARGEST:g}")
    known = _given(Fields(results))
    _check(known, text=("experiment", "block", "commit", "device"), number=("wall_seconds",), count=("samples",))
    _check(known, mapping=("choices", "config", "protocol", "environment", "parameters", "trained_on"))
    for name in known.values.get("parameters", {}):
        known.fields("parameters").whole(name)
    if "seed" in known.values:
        known.whole("seed", low=-(2**63))
    _check_facts(known)
    cost_of(results)
    if "published" in known.values:
        _check_published(known.fields("published"))
    if "trained_on" in known.values:
        check_record(known.fields("trained_on"))
    return results


@reader(RunError, "a record of what a model was trained on", _REMEDY)
def read_training(path: Path) -> dict[str, Any]:
    """The content of ``training.json``: ``data`` is a title, or None beside a ``note``."""
    record = json_object(path.read_bytes())
    _check_depth(record)
    check_record(Fields(record))
    return record


@reader(RunError, "the choice of a checkpoint", _REMEDY)
def read_selected(path: Path) -> dict[str, Any]:
    """The content of ``selected.json``: ``select_on`` and ``epoch``."""
    choice = json_object(path.read_bytes())
    if Fields(choice).text("select_on") not in ("val", "test", "last"):
        raise ValueError(f"select_on is {choice['select_on'][:60]!r}, not val, test or last")
    Fields(choice).whole("epoch")
    return {key: choice[key] for key in ("select_on", "epoch")}


@reader(RunError, "what a finished run wrote of each sample", _REMEDY)
def read_predictions(path: Path) -> list[dict[str, Any]]:
    """The records in ``predictions.jsonl``, one per sample of the split in its order."""
    records = []
    for row, line in enumerate(path.read_bytes().splitlines()):
        try:
            record = json_object(line)
            _check_depth(record)
            index = Fields(record).whole("index")
        except ValueError as error:
            raise ValueError(f"line {row + 1}: {error}") from error
        if index != row:
            raise ValueError(f"line {row + 1} has index {index} instead of {row}: not one line per sample in order")
        records.append(record)
    return records


def read_metrics(path: Path | str) -> list[dict[str, Any]]:
    """The records of a ``metrics.jsonl``: numbers by name, None where one is not finite.

    A last line that was cut off in mid-write is left out with a warning.

    Raises:
        RunError: there is none, or any other line is not a JSON object of numbers with ``step`` or ``epoch``.
    """
    rows, cut = _log(Path(path))
    if cut:
        warnings.warn(f"{path}: the last line was cut off and is left out", stacklevel=2)
    if not rows:
        raise RunError(f"{path} has no line yet: no epoch is finished")
    return [row for _, row in rows]


def log_until(path: Path, epoch: int) -> str:
    """The lines of a ``metrics.jsonl`` up to an epoch, as they stand there; a last line that was cut off is none."""
    rows, _ = _log(path)
    return "".join(text + "\n" for text, row in rows if row.get("epoch", 0) <= epoch)


@reader(RunError, "a log of training", "take the line out, or remove the file")
def _log(path: Path) -> tuple[list[tuple[str, dict[str, Any]]], bool]:
    """Text and record of each line, and whether the last line was cut off."""
    *lines, last = path.read_bytes().split(b"\n")
    rows = [_row(number, line) for number, line in enumerate(lines, start=1)]
    cut = False
    if last:
        try:  # everything but its line break may be there
            rows.append(_row(len(rows) + 1, last))
        except (ValueError, RecursionError):
            cut = True
    if rows and not any(all(name in row for _, row in rows) for name in POSITIONS):
        raise ValueError("neither step nor epoch is in all of its lines")
    return rows, cut


def _row(number: int, line: bytes) -> tuple[str, dict[str, Any]]:
    text = line.decode(errors="replace")
    try:
        return line.decode(), _numbers(json_object(line))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"line {number} is not a JSON object of numbers ({error}): {text[:80]!r}") from error


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in row.items():
        if key in POSITIONS:
            values[key] = Fields(row).whole(key)
        elif value is None or (isinstance(value, float) and not abs(value) < float("inf")):
            values[key] = None
        else:
            values[key] = Fields(row).number(key)
    return values


def check_record(record: Fields) -> None:
    """What a model was trained on: a title or a note, and facts of the right kind."""
    if record["data"] is None:
        record.text("note")
    _check_facts(_given(record))
    earlier = record.values.get("earlier", [])
    if not isinstance(earlier, list) or not all(isinstance(past, dict) for past in earlier):
        raise ValueError(f"{record.prefix}earlier is not a list of records")
    for past in earlier:
        _check_facts(_given(Fields(past, f"{record.prefix}earlier.")))
    if earlier and not all(isinstance(past.get("data"), str) for past in earlier):
        raise ValueError(f"{record.prefix}earlier names no data")


def _check_published(published: Fields) -> None:
    """As ``pretrained.published.beside`` writes it."""
    for key in ("model", "benchmark", "source", "protocol"):
        published.text(key)
    values, differing = published.fields("values"), published.fields("differing")
    for who in values.values:
        for metric in values.fields(who).values:
            values.fields(who).number(metric)
    for condition in differing.values:
        one = differing.fields(condition)
        one.text("published"), one.text("here")


def _given(fields: Fields) -> Fields:
    """Without what may be unknown and is."""
    known = {key: value for key, value in fields.values.items() if value is not None or key not in _UNKNOWN}
    return Fields(known, fields.prefix)


def _check_facts(known: Fields) -> None:
    """Which data it was: as ``engine.provenance.data_facts`` says it."""
    _check(known, text=("data", "data_root", "note"))
    if "counts" in known.values:
        counts = known.fields("counts")
        for split in counts.values:
            counts.whole(split)
    if not isinstance(known.values.get("synthetic", False), bool):
        raise ValueError(f"{known.prefix}synthetic is neither true nor false")


def _check(known: Fields, **kinds: tuple[str, ...]) -> None:
    """Those of the named entries that are there are of their kinds."""
    kind = {"text": known.text, "number": known.number, "count": known.whole, "mapping": known.fields}
    for name, keys in kinds.items():
        for key in keys:
            if key in known.values:
                kind[name](key)


def _check_depth(value: Any, left: int = _DEEP) -> None:
    if not left:
        raise ValueError(f"it is nested more than {_DEEP} levels deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if isinstance(one, dict | list):
            _check_depth(one, left - 1)
