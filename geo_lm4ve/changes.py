"""The changes of a command line, ``key=value``: which of them cannot be meant, and what may have been.

Hydra composes; where it refuses, ``mistake`` looks for the change at fault and says so in words of its own.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf

from geo_lm4ve.config import GROUPS, ConfigError, registered, unknown
from geo_lm4ve.mistakes import OWN, near, refusal
from geo_lm4ve.options import options

Compose = Callable[[list[str]], DictConfig]
"""Composes an experiment with changes; ConfigError where that fails."""

_ARGUMENT = re.compile(r"([+~]*)([^=]*)(=?)(.*)", re.DOTALL)
_NOUNS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}
_MEANT = 3
"""Keys that a message proposes at most."""


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        text: the whole.
        sign: Hydra's ``+``, ``++`` or ``~`` before it.
        key: up to the first ``=``.
        value: what follows it; None without ``=``.
    """

    text: str
    sign: str
    key: str
    value: str | None

    @classmethod
    def of(cls, text: str) -> Change:
        """Take an argument apart."""
        sign, key, equals, value = typing.cast("re.Match[str]", _ARGUMENT.fullmatch(text)).groups()
        return cls(text, sign, key, value if equals else None)


def changes(arguments: Iterable[str]) -> list[Change]:
    """Those arguments that change the experiment, without flags and what is for Hydra itself."""
    found = [Change.of(argument) for argument in arguments if not argument.startswith("-")]
    return [one for one in found if re.split("[./]", one.key)[0] != "hydra"]


def check_changes(arguments: Sequence[str], *, sweeps: bool) -> None:
    """ConfigError for what changes alone show: one made twice, a part taken out, several values without ``-m``.

    Args:
        arguments: changes and flags.
        sweeps: ``-m`` is among them.
    """
    made: dict[str, Change] = {}
    for one in changes(arguments):
        if "~" in one.sign:
            raise refusal(f"{one.text}: an experiment needs each of its parts and keys; block=identity is no block")
        if made.setdefault(one.key, one).value != one.value:
            raise refusal(f"{one.key} is given twice: {made[one.key].text} and {one.text}; keep one")
    several = [one.text for one in made.values() if len(values_of(one.text)) > 1]
    if several and not sweeps:
        raise refusal(f"{several[0]} has several values: -m runs each of them; a text that holds commas is quoted")
    if sweeps and not several and not any(one.lstrip("+").startswith("hydra") for one in arguments):
        raise refusal("-m runs every combination of several values, but none are given: -m seed=0,1,2")


def values_of(text: str) -> list[str]:
    """The changes that one stands for: each value of ``seed=0,1``, else itself."""
    if text.startswith("-"):
        return [text]
    try:
        (override,) = OverridesParser.create().parse_overrides([text])
    except OverrideParseException:
        return [text]  # for ``mistake``
    if not override.is_sweep_override() or not (override.is_choice_sweep() or override.is_range_sweep()):
        return [text]
    return [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]


def combinations(arguments: Sequence[str]) -> list[list[str]]:
    """Changes to look at so that each value of a sweep is seen once, beside the first ones of the others."""
    each = [values_of(argument) for argument in arguments]
    first = [values[0] for values in each]
    rest = [[*first[:n], value, *first[n + 1 :]] for n, values in enumerate(each) for value in values[1:]]
    return [first, *rest]


def mistake(arguments: Sequence[str], compose: Compose) -> ConfigError | None:
    """The change at fault where an experiment cannot be composed; None where it is none of them."""
    made = changes(arguments)
    for one in made:
        if reason := _unreadable(one) or _no_option(one):
            return refusal(reason)
    chosen = [one.text for one in made if one.key in GROUPS]
    try:
        base = compose(chosen)
    except ConfigError:
        return None
    for one in made:
        if one.key not in GROUPS and (reason := _no_key(one, base) or _no_value(one, chosen, base, compose)):
            return refusal(reason)
    return None


def _unreadable(one: Change) -> str | None:
    """Why Hydra cannot read a change."""
    if not one.value and (one.value is None or one.key in GROUPS):
        return f"{one.text} has no value: write {one.key or 'KEY'}=VALUE"
    try:
        OverridesParser.create().parse_overrides([one.text])
    except OverrideParseException:
        for opening, closing in ("[]", "{}", "()"):
            if one.value.count(opening) != one.value.count(closing):
                return f"{one.text} cannot be read: not every {opening} has its {closing}"
        return f"{one.text} cannot be read: a text that holds signs is quoted, \"{one.key}='...'\""
    return None


def _no_option(one: Change) -> str | None:
    """Why an option cannot be chosen."""
    if one.key not in GROUPS or one.value is None:
        return None
    if one.value not in options(one.key) and one.value not in registered(one.key):
        return unknown("option", one.value, options(one.key)).replace("option ", f"option {one.key}=", 1)
    return f"{one.text} is written without {one.sign}: {one.key}={one.value}" if one.sign else None


def _no_key(one: Change, base: DictConfig) -> str | None:
    """Why a key cannot be set."""
    values: Any = OmegaConf.to_container(base, resolve=False)
    place, names = values, one.key.split(".")
    for depth, name in enumerate(names):
        if not isinstance(place, dict):
            return f"unknown key {one.key}: {'.'.join(names[:depth])} is a value, nothing lies below it"
        if name not in place or (not depth and name not in (*GROUPS, *OWN)):
            return _unknown_key(one, names[:depth], name, place, values)
        place = place[name]
    return f"{one.text} is written without {one.sign}: {one.key}={one.value}" if one.sign else None


def _unknown_key(one: Change, above: list[str], name: str, place: dict[str, Any], values: dict[str, Any]) -> str:
    """An unknown ``name`` below ``above``, whose values are ``place``; ``values`` are those of the experiment."""
    rest = one.key[len(".".join([*above, name])) :]
    if above:
        keys = sorted(key for key in place if key != "name")
        meant = [".".join([*above, key]) for key in difflib.get_close_matches(name, keys, n=1)]
        there = f"{'.'.join(above)} has: {', '.join(keys)}"
    else:
        meant = _meant(name, values)
        there = f"known: {', '.join((*GROUPS, *OWN))}, and keys of a group as in optim.epochs"
    proposed = " or ".join(f"{key}{rest}={one.value}" for key in meant)
    return f"unknown key {one.key}" + (f" (did you mean {proposed}?)" if meant else "") + f"; {there}"


def _meant(name: str, values: dict[str, Any]) -> list[str]:
    """Keys that a first name may stand for: a group, else a key that lacks its group."""
    inner: dict[str, list[str]] = {}
    for group in GROUPS:
        for key in values[group]:
            inner.setdefault(key, []).append(f"{group}.{key}")
    known = {**inner, **{key: [key] for key in (*GROUPS, *OWN)}}
    found = [name] if name in known else difflib.get_close_matches(name, known, n=1)
    return known[found[0]][:_MEANT] if found else []


def _no_value(one: Change, chosen: list[str], base: DictConfig, compose: Compose) -> str | None:
    """Why a key cannot have a value: what it takes instead."""
    try:
        compose([*chosen, one.text])
    except ConfigError:
        above, _, last = one.key.rpartition(".")
        kind = OmegaConf.get_type(OmegaConf.select(base, above) if above else base)
        hint = typing.get_type_hints(kind).get(last) if dataclasses.is_dataclass(kind) else None
        return _misfit(one, hint)
    return None


def _misfit(one: Change, kind: Any) -> str:
    """What a key takes, of the type that its dataclass says."""
    null = ""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        kind, null = next(part for part in typing.get_args(kind) if part is not type(None)), " or null"
    if not one.value:
        return f"{one.text} has no value: {one.key} takes {_noun(kind)}{null}"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        names = list(kind.__members__)
        return f"{one.text}: {one.key} takes {_noun(kind)}{null}{near(one.value, names)}"
    alone = typing.get_origin(kind) is list and not one.value.startswith("[")
    return f"{one.text}: {one.key} takes {_noun(kind)}{null}" + (f", as in {one.key}=[{one.value}]" if alone else "")


def _noun(kind: Any) -> str:
    """What a value of a type is called."""
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        return f"a list of {_PLURALS.get(item) or _noun(item)}"
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f"one of {', '.join(kind.__members__)}"
    if dataclasses.is_dataclass(kind):
        return f"no value of its own, but keys: {', '.join(field.name for field in dataclasses.fields(kind))}"
    return _NOUNS.get(kind, "another kind of value")
