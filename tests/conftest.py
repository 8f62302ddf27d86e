"""Shared fixtures: where real data may lie, and how many threads torch has."""

import os
from pathlib import Path

import pytest

import geo_lm4ve.threads  # noqa: F401  (before torch: its threads soon sleep)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    """Two threads, or one in each of several workers, unless the environment says otherwise."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real development data; skips when it is not there."""
    folder = Path(os.environ.get("GEO_LM4VE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data not found in {folder} (set GEO_LM4VE_DATA)")
    return folder
