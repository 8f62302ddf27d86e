"""Scorers: who scores the predictions of any program, by the rules of a named protocol (``tools/evaluate.py``)."""

from __future__ import annotations

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

from geo_lm4ve.config import ConfigError, unknown
from geo_lm4ve.files import UserError
from geo_lm4ve.invocation import as_typed, command
from geo_lm4ve.shipped import load, load_all, load_shipped
from geo_lm4ve.words import failure


class Scorer(ABC):
    """Scores a file of predictions: ``--predictions FILE --protocol NAME``, and options of its own.

    Attributes:
        summary: one line above the options in the help text.
        epilog: what the help text says below them: the layout of the file, the metrics, examples (in which
            ``geo-lm4ve evaluate`` becomes what is typed).
    """

    summary: str
    epilog: str = ""

    @abstractmethod
    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add its options; ``--predictions`` and ``--protocol`` are there."""

    @abstractmethod
    def score(self, options: argparse.Namespace) -> None:
        """Score ``options.predictions`` (a path) and print the result.

        Raises:
            UserError: nothing can be scored; the message says why.
        """


SCORERS: dict[str, Scorer] = {}
"""By the name of their protocol: those that have been imported so far."""


def register_scorer(protocol: str, scorer: Scorer) -> None:
    """Make a scorer known as ``--protocol protocol``; ConfigError if the name is taken."""
    load_shipped("scorer", protocol)
    if protocol in SCORERS:
        raise ConfigError(f"--protocol {protocol} is already scored by {type(SCORERS[protocol]).__qualname__}")
    SCORERS[protocol] = scorer


def scorers() -> dict[str, Scorer]:
    """All scorers by the name of their protocol, sorted: shipped ones and those of plugins."""
    load_all("scorer")
    return dict(sorted(SCORERS.items()))


def found(protocol: str) -> dict[str, Scorer]:
    """The scorer of one protocol by its name, without importing the others; {} if there is none."""
    load("scorer", protocol)
    return {protocol: SCORERS[protocol]} if protocol in SCORERS else {}


def main(argv: Sequence[str]) -> int:
    """Run ``--predictions ... --protocol NAME ...``; returns the exit code (2: wrong usage, 1: nothing was scored)."""
    name = named_protocol(argv)
    asks = bool({"-h", "--help"} & set(argv))  # also where an option still lacks its value
    known = scorers() if asks or not name else found(name) or scorers()
    if asks:
        chosen = [known[name]] if name in known else known.values()
        print("\n".join(_help_texts(chosen, known)))
        return 0
    if name not in known:
        missing = f"--protocol NAME is required; known: {', '.join(known)}"
        _parser(known).error(unknown("protocol", name, known) if name else missing)
    try:
        known[name].score(_parser((), known[name]).parse_args(argv))
    except UserError as error:
        print(failure(error), file=sys.stderr)
        return 1
    return 0


def named_protocol(argv: Sequence[str]) -> str | None:
    """The value of ``--protocol`` among options that are not known yet."""
    parser = argparse.ArgumentParser(prog=command("evaluate"), add_help=False)
    parser.add_argument("--protocol", nargs="?")
    return parser.parse_known_args(argv)[0].protocol


def _parser(known: Iterable[str], scorer: Scorer | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=command("evaluate"),
        description=scorer.summary if scorer else None,
        epilog=as_typed(scorer.epilog) if scorer else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--predictions", type=Path, required=True, metavar="FILE", help="what some program predicted")
    parser.add_argument("--protocol", required=True, choices=list(known) or None, help="whose rules")
    if scorer:
        scorer.add_options(parser)
    return parser


def _help_texts(chosen: Iterable[Scorer], known: Iterable[str]) -> Iterable[str]:
    """Each text once: protocols that differ in their rules alone share one."""
    return dict.fromkeys(_parser(known, scorer).format_help() for scorer in chosen)
