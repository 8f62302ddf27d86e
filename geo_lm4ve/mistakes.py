"""What somebody meant who mistyped a command: a few lines that say what is wrong, what was meant and what there is.

Here are flags and experiments; what is said of ``key=value`` is in ``geo_lm4ve.changes``.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from geo_lm4ve.config import GROUPS, ConfigError, registered
from geo_lm4ve.invocation import command
from geo_lm4ve.places import CONFIGS
from geo_lm4ve.words import line

HELP = "--help lists all"
_PRINTED = ("job", "hydra", "all")
_TOLD = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
FLAGS: Mapping[str, Sequence[str] | None] = {
    "-m": None, "--multirun": None, "--resolve": None, "--hydra-help": None, "-c": _PRINTED, "--cfg": _PRINTED,
    "-i": _TOLD, "--info": _TOLD, "-p": (), "--package": (),
}  # fmt: skip
"""Flags beside an experiment: None for one that stands alone, else the values it takes (empty: any)."""
OWN = ("name", "seed")
"""Keys of an experiment beside its groups."""


def refusal(text: str) -> ConfigError:
    """The error that ends a mistyped command."""
    error = ConfigError(text)
    error.add_note(HELP)
    return error


def near(word: str, known: Iterable[str]) -> str:
    """`` (did you mean ...?)`` with the nearest known word; empty where none is near."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def misused(message: str, flags: Sequence[str], settings: bool) -> str:
    """What argparse says is wrong, and what may have been meant.

    Args:
        message: of argparse.
        flags: those that there are.
        settings: whether the command takes key=value.
    """
    if found := re.match(r"unrecognized arguments: (-[^\s=]+)=?(\S*)", message):
        flag, value = found.groups()
        return line(unknown_flag(flag, value, flags) if settings else f"unknown flag {flag}{_nearest(flag, flags)}")
    return line(message)


def check_flags(arguments: Sequence[str]) -> None:
    """ConfigError for a flag that is none, or has a value that it does not take."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if not argument.startswith("-"):
            continue
        flag, _, given = argument.partition("=")
        if flag not in FLAGS:
            raise refusal(unknown_flag(flag, given or following, FLAGS))
        value, values = given or following, FLAGS[flag]
        if values and value not in values:
            raise refusal(f"{flag} takes one of {', '.join(values)}" + (f", not {value!r}" if value else ""))


def unknown_flag(flag: str, value: str, known: Iterable[str]) -> str:
    """What to say of a flag that is none: it may be a key, or a slip of the pen.

    Args:
        flag: with its dashes.
        value: what followed it.
        known: the flags that there are.
    """
    name, nearest = flag.lstrip("-").replace("-", "_"), _nearest(flag, known)
    # To know all keys, all parts are imported, which takes seconds: not where a flag was meant.
    keys = [] if nearest else [key for key in (*OWN, *GROUPS, *_keys()) if name in (key, key.rpartition(".")[2])]
    value = value if re.fullmatch(r"[\w.+][\w.+-]*", value) and not value.endswith((".yaml", ".yml")) else "VALUE"
    example = f"{keys[0]}={value}" if keys else "optim.epochs=3"
    return f"unknown flag {flag}{nearest}; settings are written without dashes: {example}"


def _nearest(flag: str, known: Iterable[str]) -> str:
    """``near`` of flags; their dashes make none alike."""
    names = {one.lstrip("-"): one for one in known}
    found = difflib.get_close_matches(flag.lstrip("-"), names, n=1)
    return f" (did you mean {names[found[0]]}?)" if found else ""


def _keys() -> Iterator[str]:
    """``group.key`` of every registered part."""
    for group in GROUPS:
        for part in registered(group).values():
            yield from (f"{group}.{field.name}" for field in dataclasses.fields(part))


def check_experiments(words: Sequence[str], found: Sequence[str], name: str) -> None:
    """ConfigError unless exactly one argument names an experiment, and nothing else is left over.

    Args:
        words: arguments that are neither flags nor changes.
        found: those of them that are experiment files or run folders.
        name: of the command, for an example.
    """
    if len(found) > 1:
        raise refusal(f"{len(found)} experiments were given, {' and '.join(found)}: name one")
    if others := [word for word in words if word not in found]:
        if not found:
            raise not_an_experiment(others[0])
        raise refusal(
            f"{others[0]!r} is neither a flag nor a change; changes are written without blanks: "
            f"{others[0]}={others[1] if len(others) > 1 else 'VALUE'}"
        )
    if not found:
        raise refusal(
            "no experiment was given: name an experiment file or a run folder, "
            f"{command(name)} configs/quickstart.yaml\n"
            f"shipped: {', '.join(_shipped())}"
        )


def not_an_experiment(given: str) -> ConfigError:
    """What is wrong with an argument that should name an experiment file or a run folder."""
    path = Path(given)
    if path.is_dir():
        runs = sorted(path.glob("**/config.yaml"))
        hint = f" (did you mean {runs[-1].parent}?)" if runs else ""
        return refusal(f"{given} is no run folder: it holds no config.yaml{hint}")
    if path.exists():
        return refusal(f"{given} is neither an experiment file (.yaml) nor a run folder")
    beside = [str(one) for one in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    names = {Path(one).stem: one for one in (*beside, *_shipped())}
    found = difflib.get_close_matches(path.stem, names, n=1)
    hint = f" (did you mean {names[found[0]]}?)" if found else ""
    return refusal(f"there is no experiment {given}{hint}; shipped: {', '.join(_shipped())}")


def _shipped() -> list[str]:
    """The shipped experiments, as they can be typed anywhere."""
    return sorted(f"configs/{path.name}" for path in CONFIGS.glob("*.yaml"))


def shortened(error: Exception) -> str:
    """What Hydra or OmegaConf say of a file, without what they add for those who program with them."""
    rows = (row.strip() for row in str(error).splitlines())
    aside = re.compile(r"(full_key|object_type|reference_type)\b|.*(use \+|HYDRA_FULL_ERROR)")
    return " ".join(row for row in rows if row and not aside.match(row))
