import pytest

from geo_lm4ve import progress
from geo_lm4ve.notice import progress as over
from geo_lm4ve.progress import Meter


@pytest.fixture
def lines(monkeypatch, capsys):
    """Every count gives a line; call it for the lines so far."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    return lambda: capsys.readouterr().err.splitlines()


def test_bytes_in_words():
    transfer = Meter("file", 5_000_000, unit="bytes", done=1_000_000)
    transfer.advance(1_000_000)
    assert transfer.line(transfer.start + 2.0) == "file: 2 of 5 MB, 0.5 MB/s, 6 s left"
    unknown = Meter("file", None, unit="bytes")
    unknown.advance(3_000_000)
    assert unknown.line(unknown.start + 1.0) == "file: 3 MB, 3.0 MB/s"


def test_samples_in_words_with_a_note_and_what_was_done_before():
    meter = Meter("epoch 2/3", 12_000, done=2_000)
    meter.advance(1_000, "loss 0.531")
    assert meter.line(meter.start + 10) == "epoch 2/3: 3,000 of 12,000 samples, 100 samples/s, loss 0.531, 90 s left"
    meter.advance(0)
    assert meter.line(meter.start + 1000) == "epoch 2/3: 3,000 of 12,000 samples, 1.0 samples/s, 150.0 min left"


def test_what_begins_is_said_where_it_is_asked_for(lines):
    with Meter("scene cache", 300, unit="scenes", done=16, announced=True) as meter:
        assert lines() == ["scene cache: 300 scenes, 16 of them done earlier"]
        meter.advance(284, "3 dropped")
    (line,) = lines()
    assert line.startswith("scene cache: 300 of 300 scenes, ")
    assert line.endswith(" scenes/s, 3 dropped, 0 s left")
    with Meter("evaluate val", 4) as meter:
        assert lines() == []


def test_lines_come_now_and_then(capsys):
    with Meter("epoch", 3) as meter:
        for _ in range(3):
            meter.advance(1)
    assert meter.done == 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK"])
def test_further_processes_are_quiet(lines, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with Meter("epoch", 3, announced=True) as meter:
        meter.advance(3)
    assert lines() == []


def test_a_loop_over_items_counts_them(lines):
    assert list(over(range(2), "unpacking a.zip")) == [0, 1]
    first, *counts = lines()
    assert first == "unpacking a.zip ..."
    assert [count.split(",")[0] for count in counts] == ["unpacking a.zip: 1 of 2", "unpacking a.zip: 2 of 2"]


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    with Meter("epoch [1/2]", 4) as meter:
        meter.advance(2, "loss 0.1")
        meter.bar.refresh()
    shown = capsys.readouterr().err
    assert "epoch [1/2]" in shown
    assert "2 of 4 samples" in shown
    assert "loss 0.1" in shown
