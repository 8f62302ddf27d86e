"""Scorers are found by the name of their protocol, bring their own options, and say what they are in one help text."""

import pytest

from geo_lm4ve.config import ConfigError
from geo_lm4ve.files import UserError
from geo_lm4ve.parts.scorer import SCORERS, Scorer, main, register_scorer, scorers


class Count(Scorer):
    """The number of lines of a file of answers."""

    summary = "Count answers."
    epilog = "file: one answer a line"

    def add_options(self, parser):
        parser.add_argument("--at-least", type=int, default=1, help="answers that there must be")

    def score(self, options):
        lines = len(options.predictions.read_text().splitlines())
        if lines < options.at_least:
            raise UserError(f"{options.predictions} has {lines} answers, --at-least is {options.at_least}")
        print(f"answers: {lines}")


@pytest.fixture
def answers(tmp_path):
    """A file with two answers, and a scorer of such files under two names."""
    register_scorer("toy_count", Count())
    register_scorer("toy_count_too", Count())
    (tmp_path / "answers.txt").write_text("yes\nno\n")
    yield tmp_path / "answers.txt"
    del SCORERS["toy_count"], SCORERS["toy_count_too"]


def test_a_scorer_gets_its_own_options(answers, capsys):
    arguments = ["--predictions", str(answers), "--protocol", "toy_count"]
    assert main(arguments) == 0
    assert main(["--protocol=toy_count", "--at-least", "2", "--predictions", str(answers)]) == 0
    assert capsys.readouterr().out == "answers: 2\n" * 2
    assert main([*arguments, "--at-least", "3"]) == 1
    assert capsys.readouterr().err == f"error: {answers} has 2 answers, --at-least is 3\n"
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "--data", "val"])  # an option of another scorer
    assert "unrecognized arguments: --data val" in capsys.readouterr().err


def test_help_is_that_of_the_protocol_or_of_all(answers, capsys):
    assert main(["--predictions", "--protocol", "toy_count", "--help"]) == 0
    own = capsys.readouterr().out
    assert "one answer a line" in own
    assert "argoverse_forecasting" not in own
    for arguments in (["--predictions", "-h"], ["--predictions", "x", "--protocol", "--help"]):
        assert main(arguments) == 0
        everything = capsys.readouterr().out
        assert everything.count("one answer a line") == 1, "two protocols with one text share it"
        assert everything.count("argoverse_forecasting") == 1


def test_an_unknown_or_missing_protocol_lists_the_known_ones(answers, capsys):
    for arguments, message in (
        (["--predictions", "x", "--protocol", "toy_cuont"], "did you mean 'toy_count'"),
        (["--predictions", "x"], "--protocol NAME is required"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        shown = capsys.readouterr().err
        assert message in shown
        assert f"known: {', '.join(scorers())}" in shown


def test_a_name_is_taken_once():
    assert {"av1", "av2"} <= scorers().keys()
    with pytest.raises(ConfigError, match="--protocol av1 is already scored by ForecastScorer"):
        register_scorer("av1", Count())
