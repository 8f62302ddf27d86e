"""Text encoders: files of GloVe, what is kept of them, and a folder of transformers."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

from mutate import BYTES
from mutate_packed import SAFETENSORS, ZIP
from mutate_text import JSON, TEXT
from seed import Seed
from text_models import GLOVE, write_glove, write_model

from geo_lm4ve.commands.predict import questions
from geo_lm4ve.language.glove_store import MANIFEST, VECTORS, WORDS, read_store, word_vectors
from geo_lm4ve.language.glove_text import GloveText
from geo_lm4ve.language.text_encoders import TextKind, build_text_encoder

_LANGUAGE = "geo_lm4ve.language."
_TEXT = (f"{_LANGUAGE}glove_text.GloveText.block",)
_STORE = (f"{_LANGUAGE}glove_store.read_store",)
_NETWORK = (f"{_LANGUAGE}text_network.read_network",)


def _gzip(folder: Path) -> Path:
    path = folder / "glove.gz"
    path.write_bytes(gzip.compress(write_glove(folder / "glove.txt").read_bytes(), mtime=0))
    return path


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "glove.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("glove.txt"), write_glove(folder / "glove.txt").read_bytes())
    return folder / "glove.zip"


def _lines(path: Path) -> float:
    """Every line of a file in GloVe's format."""
    total = 0.0
    with GloveText(path) as text:
        while (block := text.block())[0]:
            total += float(block[1].sum())
    return total


def _kept(name: str) -> Callable[[Path], Path]:
    """Writes what is kept of a file, and gives one file of that."""

    def write(folder: Path) -> Path:
        word_vectors(write_glove(folder / "glove.txt"))
        return next(folder.glob(f"cache/glove/*/{name}"))

    return write


def _looked_up(path: Path) -> float:
    found = read_store(path.parent)
    known = [word for word in GLOVE if found is not None and word in found]
    return float(found[known].sum()) if found is not None and known else 0.0


def _model(name: str) -> Callable[[Path], Path]:
    return lambda folder: write_model(folder) / name


def _encoded(path: Path) -> object:
    encoder = build_text_encoder(TextKind.transformers, str(path.parent), longest=20)
    return encoder(["What is left of the desk?", ""]).vectors


def _asked(folder: Path) -> Path:
    path = folder / "asked.txt"
    path.write_text("What color is the table?\n\nHow many chairs are there?\n", encoding="utf-8")
    return path


SEEDS = (
    Seed("questions asked", ("geo_lm4ve.commands.predict._listed",), _asked, lambda path: questions(str(path)), TEXT),
    Seed("glove_text", _TEXT, lambda folder: write_glove(folder / "glove.txt"), _lines, TEXT),
    Seed("glove_gzip", _TEXT, _gzip, _lines, BYTES),
    Seed("glove_zip", _TEXT, _zip, _lines, ZIP),
    Seed("glove_manifest", _STORE, _kept(MANIFEST), _looked_up, JSON),
    Seed("glove_words", _STORE, _kept(WORDS), _looked_up, TEXT),
    Seed("glove_vectors", _STORE, _kept(VECTORS), _looked_up, BYTES),
    Seed("text_config", _NETWORK, _model("config.json"), _encoded, JSON, slow=True),
    Seed("text_weights", _NETWORK, _model("model.safetensors"), _encoded, SAFETENSORS, slow=True),
    Seed("text_tokenizer", _NETWORK, _model("tokenizer.json"), _encoded, JSON, slow=True),
    Seed("text_tokenizer_config", _NETWORK, _model("tokenizer_config.json"), _encoded, JSON, slow=True),
)
