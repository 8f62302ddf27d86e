"""The commands: a light module each, which imports what it needs when its arguments are understood.

Each has a docstring, the help text, in which commands are written ``geo-lm4ve NAME``, and ``main(arguments)``, which
returns an exit code or None and raises UserError. ``tools/NAME.py`` and ``geo-lm4ve NAME`` run the same one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve.invocation import as_typed, command
from geo_lm4ve.usage import friendly

COMMANDS = ("train", "evaluate", "predict", "probe", "prepare", "report", "visualize", "doctor", "extract-block")


def run(name: str, arguments: Sequence[str] | None = None) -> None:
    """Carry out a command; ends the process where it fails.

    Args:
        name: one of ``COMMANDS``.
        arguments: of the command; default: those of the process.
    """
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    given = sys.argv[1:] if arguments is None else arguments
    if code := friendly(lambda: module.main(given)):
        raise SystemExit(code)


def summary(name: str) -> str:
    """One line about a command."""
    return (import_module(f"{__name__}.{name.replace('-', '_')}").__doc__ or "").splitlines()[0].rstrip(".")


class Parser(argparse.ArgumentParser):
    """A parser of arguments whose errors are one line, and where to read more.

    Attributes:
        settings: the command takes changes of an experiment, key=value, beside its flags.
    """

    settings: bool = False

    def error(self, message: str) -> NoReturn:
        """Say it and leave with code 2."""
        from geo_lm4ve.mistakes import HELP, misused

        flags = [flag for one in self._actions for flag in one.option_strings]
        self.exit(2, f"error: {misused(message, flags, self.settings)}\n{HELP}\n")


def parser(
    name: str, doc: str | None, epilog: str | None = None, *, add_help: bool = True, settings: bool = False
) -> Parser:
    """A parser whose help text is the docstring of a command, with all commands as they are typed."""
    made = Parser(
        prog=command(name),
        description=as_typed(doc or ""),
        epilog=epilog,
        add_help=add_help,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.settings = settings
    return made
