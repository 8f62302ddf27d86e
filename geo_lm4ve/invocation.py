"""How a command is typed: ``python tools/train.py`` in the repository, ``geo-lm4ve train`` where it is installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROGRAM = "geo-lm4ve"
"""The console script."""

_PACKAGE = Path(__file__).resolve().parent
_WRITTEN = re.compile(rf"\b{PROGRAM} ([a-z]+(?:-[a-z]+)*)\b")


def command(name: str) -> str:
    """A command as it is typed by whoever reads this: like the one that runs, else as fits where the package lies."""
    running = Path(sys.argv[0])
    if running.stem == PROGRAM:
        return f"{PROGRAM} {name}"
    if running.parts[-2:] == (_PACKAGE.name, "__main__.py"):
        return f"python -m {_PACKAGE.name} {name}"
    tool = f"tools/{name.replace('-', '_')}.py"
    if (_PACKAGE.parent / tool).is_file():
        return f"python {tool}"
    return f"{PROGRAM} {name}"


def as_typed(text: str) -> str:
    """A text in which commands are written ``geo-lm4ve NAME``, with each as it is typed."""
    return _WRITTEN.sub(lambda match: command(match[1]), text)
