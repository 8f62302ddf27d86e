import tarfile

import pytest

from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare.tar_archive import untar


@pytest.fixture
def archive(tmp_path):
    source = tmp_path / "source"
    (source / "train").mkdir(parents=True)
    for name in ("1.csv", "2.csv", "3.csv"):
        (source / "train" / name).write_text(name)
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as content:
        content.add(source / "train", "train")
    return path


def files(root):
    return {path.name: path.read_text() for path in (root / "train").iterdir()}


WHOLE = {name: name for name in ("1.csv", "2.csv", "3.csv")}


def test_an_interrupted_run_is_taken_up_again(tmp_path, archive):
    root = tmp_path / "out"
    (root / "train").mkdir(parents=True)
    (root / "train" / "1.csv").write_text("1.csv")
    (root / "train" / ".2.csv.unpacking").write_text("2")
    untar(archive, root)
    assert files(root) == WHOLE


@pytest.mark.parametrize("mine", ["mine", "2.cs", "2.csv and more"])
def test_a_file_of_the_user_is_left_alone(tmp_path, archive, mine):
    root = tmp_path / "out"
    (root / "train").mkdir(parents=True)
    (root / "train" / "2.csv").write_text(mine)
    for _ in range(2):
        with pytest.raises(DataError, match=r"2.csv is not the train/2.csv of .*left as it is.*--root"):
            untar(archive, root)
        assert files(root)["2.csv"] == mine
    (root / "train" / "2.csv").unlink()
    untar(archive, root)
    assert files(root) == WHOLE
