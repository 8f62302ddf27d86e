"""The border that foreign bytes cross: whatever a reader meets in a file becomes one error that names the file.

A reader is a function that turns a file from outside into values; ``@reader`` guards it and enters it in ``READERS``.
Inside, a fault may be raised as it comes (ValueError, KeyError, what a library throws): the guard adds file, cause and
next step. Errors of the package's own code that no file can provoke (a name that is not defined, a package that is not
installed) pass as they are, and the original error stays the cause: GEO_LM4VE_TRACEBACK=1 shows where it came from.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from geo_lm4ve.files import UserError, from_json, said

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

LIMIT = "GEO_LM4VE_READ_LIMIT"
"""Environment variable: GiB of memory that a file may ask for where its own size does not bound what it holds."""
_GIB = 1 << 30
_DEFAULT_LIMIT = 8.0
_OWN = (NameError, ImportError)
"""Programming errors and missing packages, which no content of a file brings about. XML can bring a SyntaxError."""
_TEXT = 300
"""Characters of a cause that a message quotes; some libraries quote the whole file."""


@dataclass(frozen=True)
class Reader:
    """A guarded reader.

    Attributes:
        name: module and qualified name of the function.
        error: what it raises about a file.
        kind: what the file should be.
        remedy: what the user does next.
    """

    name: str
    error: type[UserError]
    kind: str
    remedy: str


READERS: dict[str, Reader] = {}
"""Every guarded reader that has been imported, by name; each has seeds in ``tests/fuzz/``."""


def reader(
    error: type[UserError], kind: str, remedy: str = "get it again", *, at: str = ""
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Decorator of a function that reads a file: what goes wrong in it is raised as ``error`` with the file's name.

    Args:
        error: class of the message.
        kind: what the file should be, as in "is not {kind}": "a csv file of Argoverse 1".
        remedy: what the user does next.
        at: parameter that says where the bytes come from (a path, or an object with a ``place``); default: the first.
    """

    def guard(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        name = f"{function.__module__}.{function.__qualname__}"
        if inspect.isgeneratorfunction(function):
            raise TypeError(f"{name} is a generator, whose body runs outside the guard; read in a function of its own")
        READERS[name] = Reader(name, error, kind, remedy)
        parameters = [one for one in inspect.signature(function).parameters if one not in ("self", "cls")]
        wanted = at or parameters[0]
        signature = inspect.signature(function)

        @functools.wraps(function)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            place = signature.bind(*args, **kwargs).arguments.get(wanted)
            with reading(getattr(place, "place", place), error, kind, remedy):
                return function(*args, **kwargs)

        return guarded

    return guard


@contextmanager
def reading(place: object, error: type[UserError], kind: str, remedy: str = "get it again") -> Iterator[None]:
    """The guard itself, for the part of a function that reads; arguments as of ``reader``.

    Raises:
        UserError: of class ``error``, for whatever is raised inside; a UserError from inside passes as it is, with a
            note that says where it was met unless it does so itself.
    """
    try:
        yield
    except UserError as fault:
        _note(fault, str(place))
        raise
    except _OWN:
        raise
    except FileNotFoundError as fault:
        raise error(f"{fault.filename or place} is missing; {remedy}") from fault
    except OSError as fault:
        raise error(f"{place} cannot be read as {kind} ({said(fault)}); {remedy}") from fault
    except MemoryError as fault:
        raise error(f"{place} asks for more memory than there is: it is not {kind}, or damaged; {remedy}") from fault
    except RecursionError as fault:
        raise error(f"{place} is nested too deep to be {kind}; {remedy}") from fault
    except Exception as fault:
        if _checks_a_type(fault):
            raise
        raise error(f"{place} is cut off, damaged or not {kind} ({cause(fault)}); {remedy}") from fault
    except BaseException as fault:
        if type(fault).__name__ != "PanicException":  # what libraries written in Rust raise past every Exception
            raise
        raise error(f"{place} is cut off, damaged or not {kind} ({cause(fault)}); {remedy}") from fault


def _note(fault: UserError, place: str) -> None:
    """Say where an error was met; ``dir:PATH`` is said by PATH too."""
    said_already = "\n".join((str(fault), *getattr(fault, "__notes__", ())))
    if place.rpartition(":")[2] not in said_already:
        fault.add_note(f"(met in {place})")


def _checks_a_type(fault: Exception) -> bool:
    """Whether a shape annotation of our own was broken, as the tests' import hook finds out."""
    return type(fault).__module__.startswith(("jaxtyping", "beartype"))


def cause(fault: BaseException) -> str:
    """An exception in one short line; its class is named where the text alone says nothing."""
    text = " ".join(str(fault).split())
    text = text if len(text) <= _TEXT else text[:_TEXT] + " …"
    plain = isinstance(fault, ValueError) and type(fault).__module__ == "builtins"
    return text if plain and text else f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def check_bytes(needed: int, what: str, *, stored: int | None = None, ratio: float = 1.0) -> None:
    """Refuse a size that a file declares before memory is asked for; call it inside a guard.

    Args:
        needed: bytes that reading would take.
        what: that takes them, as in "{what} would take …".
        stored: bytes that the file has for it; None where they say nothing about the size.
        ratio: how many times ``stored`` the values can be (1: not compressed).

    Raises:
        ValueError: more than the file can hold, or more than ``LIMIT`` where nothing bounds it.
    """
    if stored is not None and needed > ratio * stored:
        held = f"{stored:,} bytes" + (f" that hold at most {ratio:g} times as much" if ratio != 1 else "")
        raise ValueError(f"{what} would take {needed:,} bytes, the file has {held} for it")
    if (stored is None or ratio != 1) and needed > (most := read_limit()):
        sizes = f"{needed / _GIB:,.1f} GiB, the limit is {most / _GIB:g} GiB"
        raise ValueError(f"{what} would take {sizes}; set {LIMIT}=GIB if it is meant")


def read_limit() -> int:
    """Bytes that one thing may take in memory whose size its file does not bound: ``LIMIT``, else 8 GiB."""
    text = os.environ.get(LIMIT, "").strip()
    try:
        gib = float(text or _DEFAULT_LIMIT)
        if not 0 < gib < float("inf"):
            raise ValueError(text)
    except ValueError:
        raise UserError(f"{LIMIT}={text!r} is not a number of GiB above 0; set it to one, or unset it") from None
    return int(gib * _GIB)


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object; ValueError for anything else. Call it inside a guard (deep nesting is a RecursionError)."""
    value = from_json(text)
    if not isinstance(value, dict):
        raise ValueError(f"it holds {_shown(value)}, not a JSON object")
    return value


@dataclass(frozen=True)
class Fields:
    """A mapping out of a file, read field by field; a field that is missing or of another kind is a ValueError.

    Attributes:
        values: the mapping.
        prefix: where it lies in the file, before each key in messages.
    """

    values: Mapping[str, Any]
    prefix: str = ""

    def __getitem__(self, key: str) -> Any:
        """Any value; ValueError if the key is missing."""
        if key not in self.values:
            raise ValueError(f"it lacks {self.prefix}{key}")
        return self.values[key]

    def _fault(self, key: str, wanted: str) -> ValueError:
        return ValueError(f"{self.prefix}{key} is {_shown(self.values[key])}, not {wanted}")

    def text(self, key: str) -> str:
        """A string."""
        if not isinstance(value := self[key], str):
            raise self._fault(key, "a text")
        return value

    def whole(self, key: str, low: int = 0, high: int = 2**63 - 1) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self[key]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._fault(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < float("inf"):
            raise self._fault(key, "a finite number")
        return float(value)

    def wholes(self, key: str) -> list[int]:
        """A list of whole numbers, none negative."""
        value = self[key]
        if not isinstance(value, list) or not all(type(one) is int and 0 <= one < 2**63 for one in value):
            raise self._fault(key, "a list of whole numbers")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of strings."""
        value = self[key]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._fault(key, "a list of texts")
        return value

    def fields(self, key: str) -> Fields:
        """A mapping with texts as keys."""
        value = self[key]
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise self._fault(key, "a mapping")
        return Fields(value, f"{self.prefix}{key}.")


def _shown(value: Any) -> str:
    """A value from a file, short enough for a message."""
    if isinstance(value, dict | list):
        return {dict: "a mapping", list: "a list"}[type(value)] + f" of {len(value)}"
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "an integer of over 40 digits"
    return text if len(text) <= 60 else text[:60] + "…"
