"""WordNet's lists of nouns, as files of a folder and in nltk's zip, read as far as a lemma."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mutate_packed import ZIP
from mutate_text import TEXT
from seed import Seed

from geo_lm4ve.language.wordnet import read_wordnet

FILES = {
    "index.noun": "  1 a licence\nchair n 4 5 @ ~ 4 3 03001627\nwolf n 5 4 @ 5 1 02114100\n",
    "noun.exc": "aardwolves aardwolf\nwolves wolf\n",
}


def _folder(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).write_text(content)
    return folder / "noun.exc"


def _zip(folder: Path) -> Path:
    path = folder / "wordnet.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(zipfile.ZipInfo(f"wordnet/{name}"), content)
    return path


def _lemmas(place: Path) -> list[str]:
    found = read_wordnet(place)
    return [found.lemma(word) for word in ("chairs", "wolves", "aardwolves", "")]


_READER = ("geo_lm4ve.language.wordnet.read_wordnet",)
SEEDS = (
    Seed("wordnet_exceptions", _READER, _folder, lambda path: _lemmas(path.parent), TEXT),
    Seed("wordnet_zip", _READER, _zip, _lemmas, ZIP),
)
