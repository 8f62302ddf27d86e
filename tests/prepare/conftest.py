import tarfile

import pytest
from packing import WHOLE, entry, tarred, zipped

from geo_lm4ve.prepare import archive as module
from geo_lm4ve.prepare import folder as folder_module


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch):
    """Other work on this disk would be waited for."""
    monkeypatch.setattr(module.os, "sync", lambda: None)


@pytest.fixture(params=["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def archive(request, tmp_path):
    path = tmp_path / f"a.{request.param}"
    if request.param == "zip":
        return zipped(path, ("train/", b""), *WHOLE.items())
    folder = entry("train", type=tarfile.DIRTYPE)
    return tarred(
        path, folder, *(entry(*item) for item in WHOLE.items()), mode=f"w:{path.suffix[1:]}".replace(":tar", "")
    )


@pytest.fixture
def root(tmp_path):
    return tmp_path / "set" / "processed"


@pytest.fixture(params=[True, False], ids=["handles", "paths"])
def _both(request, monkeypatch):
    """With handles of folders, and by paths as where there are none."""
    if request.param and not folder_module.HANDLES:
        pytest.skip("this system has no handles of folders")
    monkeypatch.setattr(folder_module, "HANDLES", request.param)
