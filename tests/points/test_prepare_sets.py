import hashlib
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from point_folders import write_hdf5
from rich.console import Console
from small_runs import ROOT, tool

from geo_lm4ve.config import make
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.points import modelnet40 as modelnet40_module
from geo_lm4ve.points.modelnet40 import NAMES
from geo_lm4ve.prepare.base import DATASETS, find, preparers
from geo_lm4ve.prepare.manifest import read_manifest


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def release(tmp_path, monkeypatch):
    """A small archive like ModelNet40's, its manifest in ./datasets, and its counts in place of the real ones."""
    files = tmp_path / "files"
    files.mkdir()
    for name, clouds in (("train0", 50), ("train1", 30), ("test0", 40)):
        data = np.random.default_rng(clouds).normal(size=(clouds, 8, 3)).astype("f4")
        write_hdf5(files / f"ply_data_{name}.h5", data=data, label=np.arange(clouds)[:, None] % 40)
    (files / "shape_names.txt").write_text("\n".join(NAMES) + "\n")
    archive = tmp_path / "modelnet40_ply_hdf5_2048.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in files.iterdir():
            file.write(path, f"modelnet40_ply_hdf5_2048/{path.name}")
    folder = tmp_path / "datasets" / "modelnet40"
    folder.mkdir(parents=True)
    sums = "".join(f'"{path.name}" = "{md5(path)}"\n' for path in files.glob("*.h5"))
    head = f'[archive]\nname = "{archive.name}"\nmd5 = "{md5(archive)}"\nurls = ["http://127.0.0.1:9/a.zip"]\n'
    (folder / "manifest.toml").write_text(f"{head}[files]\n{sums}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(modelnet40_module, "COUNTS", {"train": 80, "test": 40})
    monkeypatch.setattr("geo_lm4ve.prepare.download.ATTEMPTS", 1)
    return archive


def printed(renderable):
    console = Console(width=200, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_modelnet40_from_an_archive_at_hand(release):
    preparer = find("modelnet40")
    preparer.prepare(preparer.root, release)
    assert preparer.root == Path("datasets/modelnet40/processed")
    text = printed(preparer.check(preparer.root))
    assert "night_stand" in text
    assert "train: data (80, 8, 3) float32" in text
    assert [line for line in text.splitlines() if "all" in line and "80" in line and "40" in line]


def test_modelnet40_with_every_source_gone_says_what_to_do(release):
    with pytest.raises(DataError) as caught:
        find("modelnet40").prepare(Path("datasets/modelnet40/processed"), None)
    text = str(caught.value)
    assert "http://127.0.0.1:9/a.zip: " in text
    assert f"MD5 {md5(release)}" in text
    assert "python tools/prepare.py modelnet40 --from PATH/modelnet40_ply_hdf5_2048.zip" in text


def test_modelnet40_refuses_another_archive(release, tmp_path):
    other = tmp_path / "other.zip"
    other.write_bytes(release.read_bytes()[:-1])
    with pytest.raises(DataError, match="it is cut off or another file"):
        find("modelnet40").prepare(tmp_path / "out", other)
    with pytest.raises(DataError, match=r"there is no file .* clouds in HDF5 files need no preparation: set data.root"):
        find("modelnet40").prepare(tmp_path / "out", tmp_path / "gone.zip")
    with pytest.raises(DataError, match=r"needs no preparation, its clouds are read as they lie: set data.root to it"):
        find("modelnet40").prepare(tmp_path / "out", tmp_path / "files")
    assert not (tmp_path / "out").exists()


def test_check_finds_missing_changed_and_miscounted_files(release, tmp_path, monkeypatch):
    preparer, root = find("modelnet40"), tmp_path / "out"
    preparer.prepare(root, release)
    monkeypatch.setattr(modelnet40_module, "COUNTS", {"train": 81, "test": 40})
    with pytest.raises(DataError, match=r"holds \{'train': 80, 'test': 40\} clouds, expected are \{'train': 81"):
        preparer.check(root)
    with h5py.File(root / "ply_data_train1.h5", "a") as file:
        file["data"][0, 0, 0] = 9
    with pytest.raises(DataError, match=r"ply_data_train1.h5 has MD5 .* delete it and prepare again"):
        preparer.check(root)
    (root / "ply_data_train1.h5").unlink()
    with pytest.raises(DataError, match=r"ply_data_train1.h5 is missing"):
        preparer.check(root)


def test_synthetic_solids(tmp_path):
    preparer = find("synthetic_solids")
    with pytest.raises(DataError, match="--from has no meaning"):
        preparer.prepare(tmp_path, tmp_path)
    make("data", "synthetic_solids", {"root": str(tmp_path), "train": 76, "test": 38}).prepare()
    assert "train: data (76, 2048, 3) float32" in printed(preparer.check(tmp_path))


def test_unknown_set_lists_those_there_are():
    with pytest.raises(DataError, match=r"unknown data set 'modelnet4' \(did you mean 'modelnet40'\?\); known: "):
        find("modelnet4")


def test_every_preparer_has_a_documented_folder():
    for name, preparer in preparers().items():
        assert preparer.summary
        folder = ROOT / DATASETS / preparer.root.relative_to(DATASETS).parts[0]
        assert f"python tools/prepare.py {name}" in (folder / "README.md").read_text()


def test_shipped_manifest():
    manifest = read_manifest(ROOT / "datasets" / "modelnet40" / "manifest.toml")
    assert manifest.md5 == "c9ab8e6dfb16f67afdab25e155c79e59"
    assert len(manifest.files) == 7
    assert all(url.startswith("https://") and url.endswith(f"/{manifest.archive}") for url in manifest.urls)


def test_manifest_errors(tmp_path):
    path = tmp_path / "manifest.toml"
    with pytest.raises(DataError, match="run this in the repository's root folder"):
        read_manifest(path)
    for content in ("[archive]\nname = 'a'\n", "not toml"):
        path.write_text(content)
        with pytest.raises(DataError, match="not a manifest"):
            read_manifest(path)


def test_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, shown, _ = tool(capsys, "prepare", "--help")
    assert code == 0
    for name, preparer in preparers().items():
        assert name in shown
        assert preparer.summary in shown
    code, _, error = tool(capsys, "prepare", "modelnet40", "--check", "--root", tmp_path)
    assert code == 1
    assert error.startswith("error: ")
