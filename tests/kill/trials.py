"""Kill a command at random instants, run it again until it ends, and compare what is there with a run in peace."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from process import Running
from scenarios import Scenario
from state import begun, state

AGAIN = 0.4
"""How often a command that is run again after a kill is killed again."""


@dataclass
class Outcome:
    """What the kills of a scenario came to.

    Attributes:
        seconds: that the command takes in peace.
        trials: folders in which it was killed once or more.
        kills: that met it alive.
        late: that came after its end.
        equal: trials that ended with the same files bit for bit.
        begun: runs that were begun anew, since nothing of them had been written yet that could be taken up.
        leftovers: files that a run in peace does not leave.
        faults: what differed or failed, of which trial.
    """

    name: str
    seconds: float = 0.0
    trials: int = 0
    kills: int = 0
    late: int = 0
    equal: int = 0
    begun: int = 0
    leftovers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Trials:
    """One scenario in a folder; its random numbers depend on seed and trial alone."""

    def __init__(self, scenario: Scenario, folder: Path, seed: int):
        self.scenario, self.seed = scenario, seed
        self.place, self.ready = folder / "place", folder / "ready"
        self.output = folder / "output.txt"
        self.outcome = Outcome(scenario.name)

    def run(self, kills: int) -> Outcome:
        """So many kills."""
        self.place.mkdir(parents=True)
        self._finish(Running(lambda: self.scenario.begin(self.place), self.output))
        shutil.copytree(self.place, self.ready)
        started = time.monotonic()
        self._finish(self._start())
        self.outcome.seconds = time.monotonic() - started
        wanted = state(self.place)
        while self.outcome.kills < kills and self.outcome.late < 3 * kills + 3:
            self._trial(wanted, kills)
        return self.outcome

    def _start(self) -> Running:
        return Running(lambda: self.scenario.run(self.place), self.output)

    def _finish(self, running: Running) -> None:
        if code := running.end():
            raise RuntimeError(f"{self.scenario.name} ended with {code}:\n{self.output.read_text()[-3000:]}")

    def _trial(self, wanted: dict[str, str], kills: int) -> None:
        number = self.outcome.trials + self.outcome.late
        chance = random.Random(f"{self.seed}:{self.scenario.name}:{number}")
        shutil.rmtree(self.place)
        shutil.copytree(self.ready, self.place)
        before = self.outcome.kills
        while self._killed(chance) and self.outcome.kills < kills and chance.random() < AGAIN:
            pass
        if self.outcome.kills == before:
            return
        self.outcome.trials += 1
        try:
            self._finish(self._start())
        except RuntimeError as error:
            self.outcome.faults.append(f"trial {number}: {error}")
            return
        self._compare(number, wanted)

    def _killed(self, chance: random.Random) -> bool:
        """Start the command and kill it; False if it had ended before, well."""
        running = self._start()
        code = running.end(within=chance.uniform(0.02, 1.0) * self.outcome.seconds)
        if code is None:
            running.kill()
            self.outcome.kills += 1
            return True
        if code:
            self.outcome.faults.append(f"ended with {code}:\n{self.output.read_text()[-3000:]}")
        self.outcome.late += 1
        return False

    def _compare(self, number: int, wanted: dict[str, str]) -> None:
        found = state(self.place)
        self.outcome.begun += len(begun(self.place))
        differing = [name for name in wanted if found.get(name) != wanted[name]]
        self.outcome.leftovers += sorted(found.keys() - wanted.keys())
        self.outcome.equal += not differing
        if differing:
            self.outcome.faults.append(f"trial {number}: {', '.join(differing)} differ or are missing")
