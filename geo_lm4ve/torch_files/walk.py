"""What a pickle of ``torch.save`` says, as plain values: nothing in it is called, and no memory is asked for.

Python's unpicklers do what the bytes ask: they call functions, grow a memo to any index, and reserve what a length
declares; torch's own (``weights_only=True``) also enlarges a storage for a tensor that reaches past it. Here the
opcodes are walked one by one, and what they would build is described.
"""

from __future__ import annotations

import mmap
import pickletools
from collections.abc import Iterator
from typing import IO, Any, cast

from geo_lm4ve.torch_files.values import StorageRef, call, known_global, plain_key, storage

_MARK = object()
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW: dict[str, type] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NUMBERS = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")
_TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES")


class Walk:
    """One pickle, walked through.

    Attributes:
        value: dicts, lists, tuples, texts, numbers, and TensorRef for tensors.
        storages: every storage that it refers to, by key.
    """

    def __init__(self, content: bytes | mmap.mmap) -> None:
        """Walk to the end of the pickle, where a mapped file is left.

        Raises:
            ForeignObjectError: it asks for something that no dict of tensors needs.
            ValueError: it is damaged; also IndexError, KeyError and what else bytes can provoke.
        """
        self.storages: dict[str, StorageRef] = {}
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        for name, argument in _opcodes(content):
            self._step(name, argument)
        (self.value,) = self._stack

    def _step(self, name: str, argument: Any) -> None:
        if name in _NUMBERS or name in _TEXTS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _NEW:
            self._stack.append(_NEW[name]())
        elif name in _TUPLES:
            self._stack[-_TUPLES[name] :] = [tuple(self._last(_TUPLES[name]))]
        else:
            getattr(self, f"_{name.lower()}", self._unknown)(argument)

    def _unknown(self, argument: Any) -> None:
        raise ValueError("its pickle holds an opcode that torch.save does not write")

    def _last(self, count: int) -> list[Any]:
        found = self._stack[-count:]
        if len(found) < count or any(value is _MARK for value in found):
            raise ValueError("its pickle takes more values than there are")
        return found

    def _pop(self) -> Any:
        (value,) = self._last(1)
        self._stack.pop()
        return value

    def _to_mark(self) -> list[Any]:
        found: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            found.append(value)
        return found[::-1]

    def _mark(self, argument: Any) -> None:
        self._stack.append(_MARK)

    def _tuple(self, argument: Any) -> None:
        self._stack.append(tuple(self._to_mark()))

    def _binput(self, index: int) -> None:
        (self._memo[index],) = self._last(1)

    _long_binput = _binput

    def _memoize(self, argument: Any) -> None:
        self._binput(len(self._memo))

    def _binget(self, index: int) -> None:
        self._stack.append(self._memo[index])

    _long_binget = _binget

    def _append(self, argument: Any) -> None:
        self._extend([self._pop()])

    def _appends(self, argument: Any) -> None:
        self._extend(self._to_mark())

    _additems = _appends

    def _extend(self, values: list[Any]) -> None:
        (target,) = self._last(1)
        if not isinstance(target, list):
            raise ValueError(f"its pickle appends to a {type(target).__name__}")
        target.extend(values)

    def _setitem(self, argument: Any) -> None:
        value, key = self._pop(), self._pop()
        self._put([key, value])

    def _setitems(self, argument: Any) -> None:
        self._put(self._to_mark())

    def _put(self, values: list[Any]) -> None:
        (target,) = self._last(1)
        if not isinstance(target, dict) or len(values) % 2:
            raise ValueError(f"its pickle puts {len(values)} keys and values into a {type(target).__name__}")
        target.update((plain_key(key), value) for key, value in zip(values[::2], values[1::2]))

    def _global(self, name: str) -> None:
        self._stack.append(known_global(name.replace(" ", ".", 1)))

    def _stack_global(self, argument: Any) -> None:
        name, module = self._pop(), self._pop()
        self._stack.append(known_global(f"{module}.{name}" if isinstance(module, str) else ""))

    def _reduce(self, argument: Any) -> None:
        arguments, function = self._pop(), self._pop()
        self._stack.append(call(function, arguments))

    _newobj = _reduce

    def _build(self, argument: Any) -> None:
        """A state given to an object; only dicts with attributes and numbers of NumPy's have one."""
        self._pop()
        (target,) = self._last(1)
        if target is not None and not isinstance(target, dict):
            raise ValueError(f"its pickle gives a state to a {type(target).__name__}")

    def _binpersid(self, argument: Any) -> None:
        found = storage(self._pop())
        before = self.storages.setdefault(found.key, found)
        if before.size != found.size:
            raise ValueError(f"storage {found.key!r} has {before.size:,} bytes in one place, {found.size:,} in another")
        self._stack.append(found)


def _opcodes(content: bytes | mmap.mmap) -> Iterator[tuple[str, Any]]:
    """Name and argument of each opcode that does something."""
    for opcode, argument, _ in pickletools.genops(cast(bytes | IO[bytes], content)):
        if opcode.name not in ("PROTO", "FRAME", "STOP"):
            yield opcode.name, argument
