import io
import random

import pytest
from rich.cells import cell_len
from rich.console import Console

from geo_lm4ve.parts.answers import print_answers, tails
from geo_lm4ve.parts.task import Answers

COLUMNS = ["file", "top 1", "top 2"]


def printed(answers, width=80, terminal=True):
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    print_answers(answers, console)
    return console.file.getvalue()


def test_a_path_is_shown_by_what_tells_it_from_the_others():
    paths = ["/x/one/chair.off", "/x/two/chair.off", "/x/two/bed.off", "a/two/chair.off", "same.off", "same.off"]
    assert tails(paths) == ["one/chair.off", "x/two/chair.off", "bed.off", "a/two/chair.off", "same.off", "same.off"]
    assert tails(["/chair.off", "chair.off"]) == ["/chair.off", "chair.off"]
    assert tails([]) == []


def test_tails_of_different_paths_differ():
    chance = random.Random(0)
    for _ in range(200):
        paths = {"/".join(chance.choice("ab") for _ in range(chance.randint(1, 4))) for _ in range(6)}
        listed = sorted(paths)
        short = tails(listed)
        assert len(set(short)) == len(paths)
        assert all(path == tail or path.endswith(f"/{tail}") for path, tail in zip(listed, short))


@pytest.mark.parametrize(
    "name", ["chair.off", "a" * 300 + "1.off", "椅" * 100 + ".off", "[/b]\x1b[31m.off", "a b " * 50]
)
@pytest.mark.parametrize("classes", [1, 5])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_missing(name, classes):
    row = [f"/in/{name}", *(f"night_stand_{rank} 0.{rank}00" for rank in range(classes))]
    other = [f"/in/other/{name}", *row[1:]]
    text = printed(Answers(["file", *(f"top {rank + 1}" for rank in range(classes))], [row, other]))
    assert max(map(cell_len, text.splitlines())) <= 80
    shown = "".join(text.replace("│", "").split())
    spelt = name.replace("\x1b", "\\x1b").replace(" ", "")
    assert shown.count(spelt) == 2
    assert f"other/{spelt}" in shown
    assert all(shown.count(cell.replace(" ", "")) == 2 for cell in row[1:])
    assert "\x1b" not in text


def test_a_terminal_shows_a_table_where_it_fits():
    answers = Answers(COLUMNS, [["/in/chair.off", "chair 0.9", "bed 0.1"]], note="written", left_out=["x"])
    assert "chair.off │ chair 0.9 │ bed 0.1" in printed(answers)
    assert "│" not in printed(answers, width=30)
    assert printed(answers).endswith("written\n")


def test_other_programs_get_a_line_per_file_with_its_whole_path():
    rows = [[f"/in/{'x' * 200}{number}\t\n.off", "a 0.9", "b 0.1"] for number in range(3)]
    lines = printed(Answers(COLUMNS, rows, shown=1), terminal=False).splitlines()
    assert lines[0] == "file\ttop 1\ttop 2"
    assert [line.split("\t") for line in lines[1:]] == [
        [f"/in/{'x' * 200}{number}\\t\\n.off", "a 0.9", "b 0.1"] for number in range(3)
    ]


def test_a_terminal_shows_as_many_rows_as_it_should():
    rows = [[f"{number}.csv", "a", "b"] for number in range(9)]
    text = printed(Answers(COLUMNS, rows, shown=2))
    assert "1.csv" in text
    assert "2.csv" not in text
