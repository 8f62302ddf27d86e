"""``geo-lm4ve COMMAND …`` and ``python -m geo_lm4ve COMMAND …``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from geo_lm4ve import __version__
from geo_lm4ve.commands import COMMANDS, run, summary
from geo_lm4ve.invocation import command
from geo_lm4ve.words import unknown


def usage() -> str:
    """The commands, one line each."""
    rows = "".join(f"  {name:<14} {summary(name)}\n" for name in COMMANDS)
    program = command("COMMAND")
    return (
        f"usage: {program} [arguments]\n\ncommands:\n{rows}\n"
        f"{program} --help says more. This is geo_lm4ve {__version__}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the command that is named first."""
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
    elif name == "--version":
        print(__version__)
    elif (known := name.replace("_", "-")) in COMMANDS:
        run(known, rest)
    else:
        print(f"error: {unknown('command', name, COMMANDS)}", file=sys.stderr)
        raise SystemExit(2)


if __name__ == "__main__":
    main()
