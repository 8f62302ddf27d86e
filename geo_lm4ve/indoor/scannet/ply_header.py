"""The head of a PLY file: which tables it declares, of which columns and how many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

_LONGEST = 1 << 16
"""Bytes of a header; that of a ScanNet mesh has about 400."""
_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class Element:
    """A table.

    Attributes:
        name: of it.
        count: rows.
        properties: name -> NumPy's code of the number; of a list those of its length and of its items.
    """

    name: str
    count: int
    properties: dict[str, tuple[str, ...]]

    def row(self, order: str) -> list[tuple[Any, ...]]:
        """A row as NumPy describes it, every list as one of three items behind its length."""
        fields: list[tuple[Any, ...]] = []
        for name, kinds in self.properties.items():
            if len(kinds) == 2:
                fields += [(f"number of {name}", order + kinds[0]), (name, order + kinds[1], (3,))]
            else:
                fields.append((name, order + kinds[0]))
        return fields


@dataclass(frozen=True)
class Header:
    """What a file declares.

    Attributes:
        order: NumPy's sign for the order of bytes.
        ascii: the tables are text.
        elements: the tables in their order.
        size: bytes of the header: the first table begins there.
    """

    order: str
    ascii: bool
    elements: tuple[Element, ...]
    size: int


def read_header(file: IO[bytes]) -> Header:
    """The header of an open file, which then stands behind it; ValueError where it is none. Call it inside a guard."""
    if file.readline(_LONGEST).strip() != b"ply":
        raise ValueError("its first line is not 'ply'")
    form, elements = "", list[Element]()
    while (line := file.readline(_LONGEST)) and file.tell() <= _LONGEST:
        words = line.decode("ascii").split()
        match words:
            case [] | ["comment" | "obj_info", *_]:
                pass
            case ["end_header"]:
                return _header(form, elements, file.tell())
            case ["format", form, _]:
                pass
            case ["element", name, count]:
                elements.append(_element(name, count, elements))
            case ["property", *rest] if elements:
                _add(elements[-1], rest)
            case _:
                raise ValueError(f"its header has the line {line[:60]!r}")
    raise ValueError("its header does not end")


def _header(form: str, elements: list[Element], size: int) -> Header:
    if form not in _ORDERS:
        raise ValueError(f"its format is {form[:40]!r}, not one of {', '.join(_ORDERS)}")
    if bare := [element.name for element in elements if not element.properties]:
        raise ValueError(f"element {bare[0][:40]!r} has no property")
    return Header(_ORDERS[form], form == "ascii", tuple(elements), size)


def _element(name: str, count: str, before: list[Element]) -> Element:
    if not (count.isascii() and count.isdecimal() and len(count) <= 18):
        raise ValueError(f"element {name[:40]!r} has {count[:40]!r} rows")
    if name in {element.name for element in before}:
        raise ValueError(f"element {name[:40]!r} is there twice")
    return Element(name, int(count), {})


def _add(element: Element, words: list[str]) -> None:
    kinds, name = (words[1:-1], words[-1]) if words[:1] == ["list"] else (words[:-1], words[-1] if words else "")
    if len(kinds) != (2 if words[:1] == ["list"] else 1) or not set(kinds) <= set(_TYPES) or name in element.properties:
        raise ValueError(f"element {element.name[:40]!r} has the property {' '.join(words)[:60]!r}")
    if len(kinds) == 2 and _TYPES[kinds[0]][0] == "f":
        raise ValueError(f"the length of the list {name[:40]!r} is a {kinds[0]}")
    element.properties[name] = tuple(_TYPES[kind] for kind in kinds)
