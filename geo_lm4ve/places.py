"""Where the files lie that come with the package."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _carried(name: str) -> Path:
    """A folder inside an installed wheel, else beside the package in the repository."""
    return _HERE / name if (_HERE / name).is_dir() else _HERE.parent / name


CONFIGS = _carried("configs")
"""The shipped experiments and options."""

DATASETS = _carried("datasets")
"""Of each data set its manifest and what there is to know; data themselves go below the working directory."""
