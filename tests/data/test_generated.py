import json

import pytest

from geo_lm4ve.data.generated import MARKER, Generated
from geo_lm4ve.parts.data import DataError


def things(**recipe):
    return Generated("made-up things", {"seed": 0, **recipe}, {"train": 3, "val": 2}, "data=own")


def content(root):
    return {path.name: path.read_text() for path in root.iterdir()}


def writer(root, text="a"):
    return lambda: (root / "a.txt").write_text(text)


def cut_off(root):
    def die():
        (root / "a.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        things().into(root, die)


def never():
    raise AssertionError("written")


@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
def test_a_folder_is_filled_once(tmp_path, there, capsys):
    root = tmp_path / "new" / "things"
    if there:
        root.mkdir(parents=True)
    things().into(root, writer(root))
    assert sorted(content(root)) == ["a.txt", "manifest.json"]
    assert json.loads(content(root)["manifest.json"])["recipe"] == {"seed": 0}
    assert f"generating 3 + 2 made-up things into {root}" in capsys.readouterr().err
    things().into(root, never)


def test_the_marker_is_there_before_the_first_file(tmp_path):
    seen = []
    things().into(tmp_path, lambda: seen.extend(content(tmp_path)))
    assert seen == [MARKER]


def test_what_was_cut_off_is_made_again_from_the_same_recipe_only(tmp_path, capsys):
    cut_off(tmp_path)
    with pytest.raises(DataError, match=r"made with \{'seed': 0\}, asked for is \{'seed': 1\}"):
        things(seed=1).into(tmp_path, never)
    things().into(tmp_path, writer(tmp_path))
    assert "was cut off, starting again" in capsys.readouterr().err
    assert content(tmp_path)["a.txt"] == "a"
    assert MARKER not in content(tmp_path)


def test_a_marker_that_was_cut_off_itself_is_no_obstacle(tmp_path):
    (tmp_path / f".{MARKER}.123.tmp").write_text("{")
    things().into(tmp_path, writer(tmp_path))
    assert content(tmp_path)["a.txt"] == "a"


@pytest.mark.parametrize(
    "files",
    [
        {"a.txt": "mine"},
        {".hidden": ""},
        {"manifest.json": '{"counts": {"train": 3}}', "a.txt": "mine"},
        {"manifest.json": "[1]"},
        {"manifest.json": "{cut off"},
        {MARKER: "", "a.txt": "mine"},
    ],
)
def test_a_folder_of_anything_else_is_refused_and_left_alone(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    message = (
        r"holds files that were not generated here: .*set data.root .*to another one.* are read by data=own data.root="
    )
    with pytest.raises(DataError, match=message) as refused:
        things().into(tmp_path, never)
    assert str(tmp_path) in str(refused.value)
    assert all(name in str(refused.value) for name in files)
    assert content(tmp_path) == files


def test_many_names_are_counted(tmp_path):
    for number in range(8):
        (tmp_path / str(number)).touch()
    with pytest.raises(DataError, match=r"here: 0, 1, 2, 3, 4 and 3 more\."):
        things().into(tmp_path, never)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match=r"file cannot be a folder of made-up things .*set data.root .* to another"):
        things().into(tmp_path / "file", never)
    assert content(tmp_path) == {"file": "mine"}
