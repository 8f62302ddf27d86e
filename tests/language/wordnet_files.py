"""A small WordNet, as a folder and as nltk keeps it in a zip file."""

from __future__ import annotations

import zipfile
from pathlib import Path

INDEX = """  1 This software and database is being provided to you, the LICENSEE
  2 by Princeton University
chair n 4 5 @ ~ %p + ;c 4 3 03001627 00599992 10468962 03271574
man n 11 6 @ ~ #m %p + ; 11 8 10287213 10289039
u n 3 2 @ ; 3 0 14867162 06832680
us n 1 2 @ ; 1 1 09044862
wolf n 5 4 @ ~ #m + 5 1 02114100
"""
EXCEPTIONS = "aardwolves aardwolf\nwolves wolf wolfe\n"


def write_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.noun").write_text(INDEX)
    (folder / "noun.exc").write_text(EXCEPTIONS)
    return folder


def write_zip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("wordnet/index.noun", INDEX)
        archive.writestr("wordnet/noun.exc", EXCEPTIONS)
    return path
