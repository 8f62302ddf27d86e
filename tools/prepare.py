"""Get a data set, or check one that is there.

    python tools/prepare.py modelnet40                        download, verify, unpack
    python tools/prepare.py modelnet40 --from FILE.zip        the same from a file you have
    python tools/prepare.py modelnet40 --check                read every cloud; print counts, shapes, ranges
    python tools/prepare.py synthetic_solids                  generate (data=synthetic_solids also does it by itself)
    python tools/prepare.py argoverse1 --workers 8            make the scene cache from the original files in --root
    python tools/prepare.py argoverse1 --download             fetch and unpack these files first

A broken download goes on where it stopped when the same command is run again. datasets/NAME/manifest.toml lists the
sources and, where they are known, the checksums that every archive is checked against; datasets/NAME/README.md has
licence and layout. Run it in the repository's root folder.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)
from geo_lm4ve.files import UserError
from geo_lm4ve.prepare.base import find, preparers
from geo_lm4ve.words import failure


def parser() -> argparse.ArgumentParser:
    known = "".join(f"  {name:<24}{preparer.summary}\n" for name, preparer in preparers().items())
    options = argparse.ArgumentParser(
        description=__doc__, epilog=f"data sets:\n{known}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("name", metavar="NAME", help="a data set, see below")
    options.add_argument("--from", dest="source", type=Path, metavar="PATH", help="use this file instead of a download")
    options.add_argument("--check", action="store_true", help="verify the prepared data, change nothing")
    options.add_argument("--root", type=Path, metavar="DIR", help="where the data are (default: in datasets/NAME)")
    large = options.add_argument_group("large data sets")
    large.add_argument("--download", action="store_true", help="fetch the original files first")
    large.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 8), metavar="N", help="processes")
    return options


def main() -> None:
    arguments = parser().parse_args()
    preparer = find(arguments.name)
    root = arguments.root or preparer.root
    if arguments.download and not preparer.large:
        raise UserError(f"{preparer.name} is fetched or generated anyway: --download has no meaning here")
    preparer.workers, preparer.download = arguments.workers, arguments.download
    if not arguments.check:
        preparer.prepare(root, arguments.source)
    Console().print(preparer.check(root))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(failure(error)) from None
