import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from rich.console import Console

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.archive import unpack
from geo_lm4ve.traffic.argoverse.prepare import Argoverse1, Argoverse2
from geo_lm4ve.traffic.synthetic.prepare import SyntheticTraffic

ROOT = Path(__file__).resolve().parents[2]


def printed(renderable):
    console = Console(width=200, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


@pytest.fixture
def archives(made_av1, tmp_path):
    """The made-up data as the archives of Argoverse 1."""
    folder = tmp_path / "archives"
    folder.mkdir()
    for name, parts in {"hd_maps": ["map_files"], "forecasting_train_v1.1": ["train"]}.items():
        with tarfile.open(folder / f"{name}.tar.gz", "w:gz") as archive:
            for part in parts:
                archive.add(made_av1 / part, part)
    return folder


def test_files_at_hand_become_a_checked_cache(av1):
    preparer = Argoverse1()
    preparer.prepare(av1, None)
    text = printed(preparer.check(av1))
    assert [line for line in text.splitlines() if "train" in line and "7" in line and "205,942" in line]
    assert [line for line in text.splitlines() if "val" in line and "4" in line and "39,472" in line]


def test_check_finds_damaged_shards(av1):
    Argoverse1().prepare(av1, None)
    shard = next((av1 / "scene_cache" / "val").glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"\xff")
    with pytest.raises(DataError, match="does not match its checksum"):
        Argoverse1().check(av1)


def test_archives_at_hand_are_unpacked_once(archives, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    root = tmp_path / "raw"
    Argoverse1().prepare(root, archives)
    assert "7" in printed(Argoverse1().check(root))
    Argoverse1().prepare(root, archives)
    assert capsys.readouterr().err.count("is unpacked already") == 2


def test_archives_are_fetched_on_request(archives, tmp_path, monkeypatch):
    folder = tmp_path / "datasets" / "argoverse1"
    folder.mkdir(parents=True)
    entries = [f'[[archives]]\nname = "{path.name}"\nurl = "{path.as_uri()}"\n' for path in sorted(archives.iterdir())]
    (folder / "manifest.toml").write_text("\n".join(entries))
    monkeypatch.chdir(tmp_path)
    preparer = Argoverse1()
    preparer.download = True
    preparer.prepare(preparer.root, None)
    assert preparer.root == Path("datasets/argoverse1/raw")
    assert (preparer.root / "train" / "data" / "7.csv").is_file()
    assert "7" in printed(preparer.check(preparer.root))


def test_without_files_the_ways_to_get_them_are_told(tmp_path):
    with pytest.raises(DataError, match=r"no scenes of Argoverse 2 in .*--root.*--from FOLDER.*--download"):
        Argoverse2().prepare(tmp_path, None)
    with pytest.raises(DataError, match="no scene cache"):
        Argoverse2().check(tmp_path)
    with pytest.raises(DataError, match=r"manifest\.toml"):
        Argoverse2().prepare(tmp_path, tmp_path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_that_is_cut_off_is_named_and_not_marked(archives, tmp_path, share):
    path = archives / "forecasting_train_v1.1.tar.gz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"forecasting_train_v1.1.tar.gz.* intact archive"):
        unpack(path, tmp_path / "out")
    assert not list((tmp_path / "out").glob(".unpacked*"))


def test_synthetic_traffic_is_generated_and_takes_no_source(tmp_path):
    with pytest.raises(DataError, match="--from has no meaning"):
        SyntheticTraffic().prepare(tmp_path, tmp_path)
    assert SyntheticTraffic().root == Path("datasets/synthetic_traffic/processed/argoverse1")


def test_the_command_prepares_and_checks(av1):
    command = [sys.executable, "tools/prepare.py", "argoverse1", "--root", str(av1), "--workers", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert "205,942" in done.stdout
    assert "kept 7 scenes" in done.stderr
