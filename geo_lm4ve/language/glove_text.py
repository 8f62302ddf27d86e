"""Word vectors in the text format of GloVe: ``word v1 … vD``, one word a line, packed by gzip or zip or as it is."""

from __future__ import annotations

import gzip
import zipfile
from io import BufferedIOBase
from pathlib import Path
from typing import cast

import numpy as np

from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.reading import check_bytes, reader
from geo_lm4ve.words import short

SITE = "nlp.stanford.edu/projects/glove"
BLOCK = 4096
"""Lines read at a time."""
_LONGEST = 1 << 16
"""Bytes of a line; one of 300 numbers has about 3,000."""
_MOST = 4096
"""Numbers of a vector."""
_PACKED = 1032
"""How many times its packed size a member of a zip can be: the limit of its method of packing."""
_KINDS = ("a file of word vectors in GloVe's text format", f"get it from {SITE} again")


class GloveText:
    """Lines of such a file, in blocks; a context manager.

    Attributes:
        place: the file.
        dim: numbers of a vector; 0 before the first block.
        line: lines read so far.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self.place, self.dim, self.line = path, 0, 0
        self._stream: BufferedIOBase | None = None
        self._archive: zipfile.ZipFile | None = None

    def __enter__(self) -> GloveText:
        """Opened at the first block."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the file."""
        for opened in (self._stream, self._archive):
            if opened is not None:
                opened.close()

    @reader(TextError, *_KINDS, at="self")
    def block(self) -> tuple[list[str], np.ndarray]:
        """The next words and their vectors (n, dim) in float32; no word at the end of the file.

        Raises:
            TextError: the file is missing, packed in another way, a pickle, or a line is not what the others are;
                names the line.
        """
        if self._stream is None:
            self._stream = self._open()
        words: list[str] = []
        rows: list[np.ndarray] = []
        while len(words) < BLOCK and (line := self._stream.readline(_LONGEST)):
            self.line += 1
            word, row = self._parsed(line)
            words.append(word)
            rows.append(row)
        if not self.line:
            raise ValueError("it is empty")
        check_bytes(4 * self.dim * self.line, "its vectors")
        return words, np.stack(rows) if rows else np.empty((0, self.dim), np.float32)

    def _open(self) -> BufferedIOBase:
        with self.place.open("rb") as file:
            head = file.read(2)
        if head[:1] == b"\x80" or self.place.suffix in (".p", ".pkl", ".pickle"):
            raise TextError(
                f"{self.place} is a pickle, which could run code when loaded, so it is not opened. If you trust its "
                'source, write it as text, python -c "import pickle; [print(word, *vector) for word, vector in '
                f"pickle.load(open('{self.place.name}', 'rb')).items()]\" > glove.txt, or get GloVe from {SITE}"
            )
        if head == b"PK":
            return self._member()
        return gzip.open(self.place) if head == b"\x1f\x8b" else self.place.open("rb")

    def _member(self) -> BufferedIOBase:
        self._archive = zipfile.ZipFile(self.place)
        members = [info for info in self._archive.infolist() if info.filename.endswith(".txt")]
        if len(members) != 1:
            names = ", ".join(info.filename for info in members) or "none"
            raise TextError(f"{self.place} should hold one .txt file, it holds {names}; unpack the one that is meant")
        size, packed = members[0].file_size, members[0].compress_size
        check_bytes(size, f"{short(members[0].filename, 60)} in it", stored=packed, ratio=_PACKED)
        return cast(BufferedIOBase, self._archive.open(members[0]))

    def _parsed(self, line: bytes) -> tuple[str, np.ndarray]:
        if len(line) == _LONGEST:
            raise ValueError(f"line {self.line} has over {_LONGEST:,} bytes")
        pieces = line.rstrip(b" \r\n").split(b" ")
        if not self.dim:
            self.dim = len(pieces) - 1
            if not 1 <= self.dim <= _MOST:
                raise ValueError(f"line 1 has {self.dim} numbers, 1 to {_MOST} are a vector")
        word, numbers = b" ".join(pieces[: -self.dim]), pieces[-self.dim :]
        if not word or _is_number(word.rpartition(b" ")[2], b" " in word):
            raise ValueError(f"line {self.line} has {len(pieces) - 1} numbers, line 1 has {self.dim}")
        try:
            return word.decode(), self._vector(numbers)
        except UnicodeDecodeError:
            raise ValueError(f"line {self.line}: the word is not UTF-8") from None

    def _vector(self, numbers: list[bytes]) -> np.ndarray:
        try:
            with np.errstate(over="ignore"):
                row = np.fromiter(map(float, numbers), np.float32, self.dim)
        except ValueError as fault:
            raise ValueError(f"line {self.line}: {fault}") from None
        if not np.isfinite(row).all():
            raise ValueError(f"line {self.line} holds a number that is not finite")
        return row


def _is_number(piece: bytes, after_a_blank: bool) -> bool:
    """Whether what stands before the vector is a number too many; words such as ``. .`` do hold blanks."""
    try:
        float(piece)
    except ValueError:
        return False
    return after_a_blank
