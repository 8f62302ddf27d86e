"""Where a model of transformers lies: a folder, or a repository of the hub that is fetched at first use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geo_lm4ve.files import UserError, checksum
from geo_lm4ve.notice import say
from geo_lm4ve.reading import cause

FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
"""What is fetched of a repository: weights that are no pickles, configs, and the files of every kind of tokeniser."""


@dataclass(frozen=True)
class ModelFolder:
    """Files of a model in the layout of transformers.

    Attributes:
        folder: with ``config.json``, ``*.safetensors`` and what else belongs to the model.
        name: for people.
        error: what is raised where files are missing.
    """

    folder: Path
    name: str
    error: type[UserError]

    @property
    def place(self) -> Path:
        """For messages of a guard."""
        return self.folder

    @property
    def weights(self) -> list[Path]:
        """Its safetensors files; an error if there are none."""
        if found := sorted(self.folder.glob("*.safetensors")):
            return found
        raise self.error(f"{self.folder} holds no .safetensors file: name a folder that save_pretrained has written")

    def sha256(self) -> str:
        """Of the one file of weights; of several: of their digests, one a line."""
        digests = [_digest(path, path.stat().st_size, path.stat().st_mtime_ns) for path in self.weights]
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    """Of a file in this state: a model is rehearsed before it is built."""
    return checksum(path)


def named_folder(source: str, what: str, error: type[UserError]) -> ModelFolder:
    """The model in a local folder, or in a repository (``OWNER/NAME[@REVISION]``) that is fetched at first use.

    Args:
        source: one of them.
        what: kind of model, for messages: "text encoder".
        error: what is raised.

    Raises:
        UserError: (of class ``error``) there is no such folder, and no such repository is at hand or to be had; says
            how to get it.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return ModelFolder(folder, folder.name, error)
    if folder.is_absolute() or source.count("/") > 1 or source.startswith((".", "~")):
        raise error(f"{source} is neither a folder nor a repository of the hub (OWNER/NAME)")
    return ModelFolder(_cached(source, error) or _fetched(source, what, error), source, error)


def _cached(source: str, error: type[UserError]) -> Path | None:
    """What earlier runs have fetched, if the weights are there; nothing is asked of the network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    repo, _, revision = source.partition("@")
    try:
        folder = Path(snapshot_download(repo, revision=revision or None, local_files_only=True))
    except HFValidationError as fault:
        raise error(f"{source} is not the name of a repository (OWNER/NAME): {fault}") from None
    except LocalEntryNotFoundError:
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def _fetched(source: str, what: str, error: type[UserError]) -> Path:
    from huggingface_hub import is_offline_mode, snapshot_download
    from huggingface_hub.errors import HTTPError

    repo, _, revision = source.partition("@")
    command = f"hf download {repo}" + (f" --revision {revision}" if revision else "")
    advice = f"run `{command}` where there is a network, or name a folder with its files as the source"
    if is_offline_mode():
        raise error(f"the {what} {source} is not at hand and HF_HUB_OFFLINE is set; unset it, or {advice}")
    say(f"fetching the {what} {source}")
    try:
        return Path(snapshot_download(repo, revision=revision or None, allow_patterns=list(FILES)))
    except (HTTPError, OSError) as fault:
        told = f"the {what} {source} is not at hand and cannot be fetched"
        raise error(f"{told} ({cause(fault)}); {advice}") from fault
