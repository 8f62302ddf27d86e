"""Get a data set, or check one that is there.

    geo-lm4ve prepare modelnet40                        download, verify, unpack
    geo-lm4ve prepare modelnet40 --from FILE.zip        the same from a file you have
    geo-lm4ve prepare modelnet40 --check                read every cloud; print counts, shapes, ranges
    geo-lm4ve prepare modelnet40 --from FOLDER          its OFF meshes or normal-resampled clouds, unpacked
    geo-lm4ve prepare folder DIR --out OUT              your own meshes and clouds, a sub-folder for each class
    geo-lm4ve prepare synthetic_solids                  generate (data=synthetic_solids also does it by itself)
    geo-lm4ve prepare argoverse1 --workers 8            make the scene cache from the original files in --root
    geo-lm4ve prepare argoverse1 --download             fetch and unpack these files first

A broken download goes on where it stopped when the same command is run again. datasets/NAME/manifest.toml (here, else
in the package) lists the sources and, where they are known, the checksums that every archive is checked against;
README.md beside it has licence and layout. Data go into ./datasets. geo-lm4ve prepare NAME --help has the options that
only NAME knows; they stand behind NAME.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from geo_lm4ve import commands
from geo_lm4ve.files import UserError
from geo_lm4ve.prepare.base import Preparer, find, preparers
from geo_lm4ve.words import line


def parser(known: str = "", *, add_help: bool = True) -> argparse.ArgumentParser:
    """Options of all preparers; ``known`` describes these."""
    options = commands.parser("prepare", __doc__, known, add_help=add_help)
    options.add_argument("name", metavar="NAME", help="a data set; --help alone lists them")
    options.add_argument("--from", dest="source", type=Path, metavar="PATH", help="use this file instead of a download")
    options.add_argument("--check", action="store_true", help="verify the prepared data, change nothing")
    options.add_argument("--root", type=Path, metavar="DIR", help="where the data are (default: in datasets/NAME)")
    large = options.add_argument_group("large data sets")
    large.add_argument("--download", action="store_true", help="fetch the original files first")
    large.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8), metavar="N", help="processes")
    return options


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    preparer, given = _understood(arguments)
    if given.download and not preparer.large:
        raise UserError(f"{preparer.name} is fetched or generated anyway: --download has no meaning here")
    preparer.take(given)
    root = given.root or preparer.place(given.source)
    if not given.check:
        preparer.prepare(root, given.source)
    from rich.console import Console

    Console().print(preparer.check(root))
    if advice := preparer.advice(root):
        print(line(advice))


def _understood(arguments: Sequence[str]) -> tuple[Preparer, argparse.Namespace]:
    """Who prepares, and what the command line says; options of a preparer are known when its name is."""
    if {"-h", "--help"} & set(arguments) and all(word.startswith("-") for word in arguments):
        rows = "".join(f"  {name:<24}{preparer.summary}\n" for name, preparer in preparers().items())
        parser(f"data sets:\n{rows}").parse_args(arguments)
    named, _ = parser(add_help=False).parse_known_args(arguments)
    preparer, options = find(named.name), parser()
    preparer.options(options)
    return preparer, options.parse_args(arguments)
