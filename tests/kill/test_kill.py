import json
import time

import pytest
from scenarios import SCENARIOS, Scenario
from small_runs import command
from state import begun, state
from trials import Trials


@pytest.mark.slow
def test_quick_commands_that_are_killed_end_as_in_peace():
    quick = [scenario.name for scenario in SCENARIOS if scenario.quick]
    done = command("tests/kill", "--kills", 2, "--scenario", *quick)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(name in done.stdout for name in quick)


def _careless(folder):
    """Takes a file that is there for a whole one, and writes it piece by piece."""
    target = folder / "file.txt"
    if not target.exists():
        with target.open("w", buffering=1) as file:
            for number in range(100):
                file.write(f"{number}\n")
                time.sleep(0.002)


def _untidy(folder):
    """Writes whole files, and leaves what it wrote first where it was killed."""
    temporary = folder / f"{time.monotonic_ns()}.tmp"
    temporary.write_text("whole")
    time.sleep(0.1)
    temporary.rename(folder / "file.txt")


@pytest.mark.parametrize("run", [_careless, _untidy])
def test_a_command_that_does_not_bear_it_is_found_out(tmp_path, run):
    outcome = Trials(Scenario("one", lambda folder: None, run), tmp_path, 0).run(3)
    assert outcome.kills == 3
    assert outcome.leftovers if run is _untidy else outcome.faults


def test_a_state_knows_no_times_and_everything_else(tmp_path):
    def write(folder, stamp, speed, loss):
        run = folder / "runs" / "small" / stamp
        run.mkdir(parents=True)
        (run / "metrics.jsonl").write_text(json.dumps({"loss": loss, "samples_per_second": speed}) + "\n")
        (run / "results.json").write_text(json.dumps({"checkpoint": f"runs/small/{stamp}"}))
        return folder

    one = state(write(tmp_path / "one", "20261125-101010-0", 3.5, 1.0))
    assert one == state(write(tmp_path / "two", "20261126-111111-0.1", 7.5, 1.0))
    assert one != state(write(tmp_path / "three", "20261125-101010-0", 3.5, 1.5))


def test_a_run_that_never_ended_is_begun_and_no_part_of_the_state(tmp_path):
    (tmp_path / "20261125-101010-0").mkdir()
    (tmp_path / "20261125-101010-0" / "config.yaml").write_text("")
    assert [path.name for path in begun(tmp_path)] == ["20261125-101010-0"]
    assert state(tmp_path) == {}
