"""Shared fixtures: where real data may lie, and how many threads torch has."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Disk:
    """A file system of its own."""

    folder: Path

    def fill(self, left: int) -> Path:
        """A file that leaves so many bytes of it."""
        status = os.statvfs(self.folder)
        filler = self.folder / "filler"
        filler.write_bytes(bytes(max(status.f_bavail * status.f_frsize - left, 0)))
        return filler


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 2 MB that may run full; skips where none can be mounted (it takes the superuser)."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)
