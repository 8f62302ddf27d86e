"""Say what is installed, which blocks and data are at hand, and the line that gets what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from geo_lm4ve.doctor.__main__ import main as examine
from geo_lm4ve.invocation import command


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    return examine(arguments, command("doctor"))
