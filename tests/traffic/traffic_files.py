"""Small folders of made-up traffic in the official layouts, and ways to spoil a file; made once per session."""

import shutil
import tarfile
from pathlib import Path

import pytest

from geo_lm4ve.traffic.synthetic.write import TrafficRecipe, write_argoverse1, write_argoverse2

ROOT = Path(__file__).resolve().parents[2]
RECIPE = TrafficRecipe(train=7, val=4, seed=3)


@pytest.fixture(scope="session")
def made_av1(tmp_path_factory):
    """A folder in the layout of Argoverse 1; leave it as it is."""
    root = tmp_path_factory.mktemp("argoverse1")
    write_argoverse1(root, RECIPE)
    return root


@pytest.fixture(scope="session")
def made_av2(tmp_path_factory):
    """A folder in the layout of Argoverse 2; leave it as it is."""
    root = tmp_path_factory.mktemp("argoverse2")
    write_argoverse2(root, RECIPE)
    return root


@pytest.fixture
def av1(made_av1, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made_av1, tmp_path / "av1")


@pytest.fixture
def av2(made_av2, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made_av2, tmp_path / "av2")


@pytest.fixture(scope="session")
def subset(real_data, tmp_path_factory):
    """The 800 real sequences of Argoverse 1, unpacked; skips where they are not at hand."""
    unpacked = ROOT / "datasets" / "argoverse1" / "raw"
    if len(list((unpacked / "val" / "data").glob("*.csv"))) == 160:
        return unpacked
    archive = real_data / "argoverse1_subset.tar.xz"
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    folder = tmp_path_factory.mktemp("subset")
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    return folder / "argoverse1_subset"


@pytest.fixture(scope="session")
def scenario(real_data):
    """One real scenario of Argoverse 2; skips where it is not at hand."""
    folder = real_data / "argoverse2_scenario"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


def first(folder, pattern):
    """The first file of that pattern below a folder."""
    return sorted(folder.rglob(pattern))[0]
