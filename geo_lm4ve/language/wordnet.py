"""Lemmas of nouns after WordNet's own rules, from the files of a WordNet that the user has."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from geo_lm4ve.files import UserError
from geo_lm4ve.reading import check_bytes, reader

INDEX, EXCEPTIONS = "index.noun", "noun.exc"
"""Files of WordNet's database: the lemmas of nouns, and irregular forms with their lemmas."""
SYSTEM = ("/usr/share/nltk_data", "/usr/local/share/nltk_data", "/usr/lib/nltk_data", "/usr/local/lib/nltk_data")
"""Where nltk's data lies for all users of a machine."""
DEBIAN = Path("/usr/share/wordnet")
"""Where Debian's package wordnet-base puts WordNet."""
ENDINGS = (
    *(("s", ""), ("ses", "s"), ("ves", "f"), ("xes", "x"), ("zes", "z")),
    *(("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y")),
)
"""Rules of detachment for nouns (WordNet, morphy(7WN), with "ves", which nltk adds)."""


class WordNetError(UserError):
    """WordNet's files are not to be found, or are not WordNet's files."""


@dataclass(frozen=True)
class WordNet:
    """Nouns of one WordNet.

    Attributes:
        nouns: its lemmas.
        exceptions: irregular form -> lemmas.
    """

    nouns: frozenset[str]
    exceptions: Mapping[str, tuple[str, ...]]

    def lemma(self, word: str) -> str:
        """The shortest lemma that the word can be a form of, itself where there is none (nltk's WordNetLemmatizer)."""
        forms = self.exceptions.get(word)
        if forms is None:
            forms = tuple(word[: -len(old)] + new for old, new in ENDINGS if word.endswith(old))
        return min((form for form in (word, *forms) if form in self.nouns), key=len, default=word)


def find_wordnet() -> Path:
    """Folder or zip file of a WordNet: of nltk's data, of WordNet itself or of Debian's package.

    Raises:
        WordNetError: there is none; the message says where to get one.
    """
    for place in _places():
        if place.is_file() or (place / INDEX).is_file():
            return place
    raise WordNetError(
        "lemmas need the files of WordNet: apt install wordnet-base, or python -m nltk.downloader wordnet "
        "(looked in WNSEARCHDIR, NLTK_DATA, ~/nltk_data and the systems' folders)"
    )


def _places() -> Iterator[Path]:
    if given := os.environ.get("WNSEARCHDIR"):
        yield Path(given)
    roots = [Path(one) for one in os.environ.get("NLTK_DATA", "").split(os.pathsep) if one]
    roots += [Path.home() / "nltk_data", Path(sys.prefix) / "nltk_data", Path(sys.prefix) / "share/nltk_data"]
    roots += map(Path, SYSTEM)
    for root in roots:
        yield root / "corpora" / "wordnet"
        yield root / "corpora" / "wordnet.zip"
    yield DEBIAN


@cache
def wordnet() -> WordNet:
    """The WordNet that ``find_wordnet`` finds, read once."""
    return read_wordnet(find_wordnet())


@reader(WordNetError, "a WordNet database", "install it again")
def read_wordnet(place: Path) -> WordNet:
    """Nouns out of a folder with WordNet's files, or of nltk's zip of one."""
    lines = _text(place, INDEX).splitlines()
    nouns = frozenset(line.split(" ", 1)[0] for line in lines if line and not line.startswith(" "))
    if not nouns:
        raise ValueError(f"{INDEX} holds no noun")
    rows = [line.split() for line in _text(place, EXCEPTIONS).splitlines() if line.strip()]
    if bad := next((row for row in rows if len(row) < 2), None):
        raise ValueError(f"{EXCEPTIONS} gives no lemma of {bad[0]!r}")
    return WordNet(nouns, {form: tuple(lemmas) for form, *lemmas in rows})


def _text(place: Path, name: str) -> str:
    if place.is_dir():
        return (place / name).read_text(encoding="utf-8")
    with zipfile.ZipFile(place) as archive:
        member = archive.getinfo(f"wordnet/{name}")
        check_bytes(member.file_size, f"{name} in it")
        return archive.read(member).decode("utf-8")
