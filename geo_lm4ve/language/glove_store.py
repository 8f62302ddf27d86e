"""Word vectors of a file, kept in the user's cache so that only those of the words at hand are read.

``<cache>/glove/<name of the file>-<hash>/``: ``vectors.bin`` (a row per word: its vector in float32, and a checksum of
word and vector, which is compared when the row is looked up), ``words.txt`` (a word a line), and ``manifest.json``,
written last. The hash is of path, size and time of the file, which therefore is read again when it has changed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from geo_lm4ve.cache import cache_folder
from geo_lm4ve.files import atomic_path, checksum, write_json
from geo_lm4ve.language.glove_text import SITE, GloveText
from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.notice import say
from geo_lm4ve.progress import Meter
from geo_lm4ve.reading import Fields, check_bytes, json_object, reader
from geo_lm4ve.words import component

FORMAT = 1
"""Version of what is kept: another version is made anew."""
VECTORS, WORDS, MANIFEST = "vectors.bin", "words.txt", "manifest.json"
_AGAIN = "delete its folder, it is then made again"


class StoreError(TextError):
    """Kept vectors that cannot be used; they are made again."""


@dataclass(frozen=True)
class GloveFacts:
    """What is known of a file of word vectors.

    Attributes:
        name, sha256: of the file.
        words: different ones.
        dim: numbers of a vector.
        repeated: lines with a word that had been there before; the first of each counts.
        index: sha256 of ``words.txt``.
        format: see ``FORMAT``.
    """

    name: str
    sha256: str
    words: int
    dim: int
    repeated: int
    index: str
    format: int = FORMAT


class WordVectors:
    """The vectors of words, on the host.

    Args:
        facts: of the file.
        rows: word -> its row.
        table: (words, dim + 1) float32, memory-mapped; the last column is the checksum's bits.
        place: of the table, for messages.
    """

    def __init__(self, facts: GloveFacts, rows: dict[str, int], table: np.ndarray, place: Path) -> None:
        self.facts, self._rows, self._table, self._place = facts, rows, table, place

    def __contains__(self, word: str) -> bool:
        """Whether it has a vector."""
        return word in self._rows

    def __getitem__(self, words: Sequence[str]) -> np.ndarray:
        """Vectors (n, dim) in float32 of words that all have one; StoreError where a row is damaged."""
        found = self._table[[self._rows[word] for word in words]]
        for word, row in zip(words, found):
            if _checksum(word, row[:-1]) != row[-1:].view(np.uint32)[0]:
                raise StoreError(f"the vector of {word!r} in {self._place} is damaged; {_AGAIN}")
        return found[:, :-1]


def word_vectors(path: Path | str) -> WordVectors:
    """The vectors of a file in GloVe's format; the first time it is read whole, later what is kept of it.

    Raises:
        TextError: the file is missing or not in that format; names the line.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise TextError(f"there is no file {path}: GloVe's are to be had from {SITE}")
    folder = _folder(path)
    if (folder / MANIFEST).is_file():
        try:
            if (kept := read_store(folder)) is not None:
                return kept
        except StoreError as error:
            say(f"{error}")
    _keep(path, folder)
    made = read_store(folder)
    if made is None:
        raise StoreError(f"{folder} was changed by another version of this program; run the same command again")
    return made


def _folder(path: Path) -> Path:
    state = path.stat()
    key = f"{path.resolve()}\n{state.st_size}\n{state.st_mtime_ns}"
    return cache_folder("glove") / component(f"{path.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}")


def _keep(path: Path, folder: Path) -> None:
    """Read the file into the cache."""
    rows: dict[str, int] = {}
    doing = Meter(f"reading {path.name}, once", None, unit="words", announced=True)
    with GloveText(path) as text, atomic_path(folder / VECTORS) as temporary, temporary.open("wb") as file, doing:
        while (block := text.block())[0]:
            for word, vector in zip(*block):
                if word not in rows:
                    rows[word] = len(rows)
                    file.write(vector.tobytes() + _checksum(word, vector).tobytes())
            doing.advance(len(block[0]))
    if text.line > len(rows):
        say(f"{path}: {text.line - len(rows)} lines repeat a word; the first line of each counts")
    index = "".join(f"{word}\n" for word in rows).encode()
    with atomic_path(folder / WORDS) as temporary:
        temporary.write_bytes(index)
    digest = hashlib.sha256(index).hexdigest()
    facts = GloveFacts(path.name, checksum(path), len(rows), text.dim, text.line - len(rows), digest)
    write_json(folder / MANIFEST, asdict(facts))


def _checksum(word: str, vector: np.ndarray) -> np.uint32:
    return np.uint32(zlib.crc32(vector.tobytes(), zlib.crc32(word.encode())))


@reader(StoreError, "kept word vectors", _AGAIN)
def read_store(folder: Path) -> WordVectors | None:
    """What is kept in a folder; None where another version made it; StoreError where it is damaged."""
    values = Fields(json_object((folder / MANIFEST).read_bytes()))
    if values["format"] != FORMAT:
        return None
    facts = GloveFacts(
        values.text("name"), values.text("sha256"), values.whole("words", 1), values.whole("dim", 1),
        values.whole("repeated"), values.text("index"),
    )  # fmt: skip
    index, table = (folder / WORDS).read_bytes(), folder / VECTORS
    if hashlib.sha256(index).hexdigest() != facts.index:
        raise ValueError(f"{WORDS} does not match its checksum")
    words = index.decode().split("\n")[:-1]
    shape, size = (facts.words, facts.dim + 1), table.stat().st_size
    check_bytes(4 * shape[0] * shape[1], f"an array {shape}", stored=size)
    if size != 4 * shape[0] * shape[1] or len(words) != facts.words:
        raise ValueError(f"{MANIFEST}, {WORDS} and {VECTORS} do not fit one another")
    rows = dict(zip(words, range(len(words))))
    return WordVectors(facts, rows, np.memmap(table, np.float32, "r", shape=shape), table)
