import pytest

from geo_lm4ve.cli import friendly
from geo_lm4ve.files import UserError


def test_an_error_is_shown_with_its_notes(capsys):
    def fail():
        error = UserError("a file is damaged")
        error.add_note("while batch 3 was made")
        raise error

    with pytest.raises(SystemExit) as ended:
        friendly(fail)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: a file is damaged\nwhile batch 3 was made\n"
