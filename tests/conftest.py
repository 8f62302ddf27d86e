"""Shared fixtures: where real data may lie, and a quiet, two-thread torch."""

import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real development data; skips when it is not there."""
    folder = Path(os.environ.get("GEO_LM4VE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found in {folder} (set GEO_LM4VE_DATA)")
    return folder
