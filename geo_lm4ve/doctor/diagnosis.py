"""Everything the doctor looks at, as one value that can be printed or written as JSON."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from geo_lm4ve import __version__
from geo_lm4ve.doctor import hardware, inventory
from geo_lm4ve.doctor.packages import CORE, OPTIONAL, Finding, State, examine_core, examine_optional

PYTHON = (3, 11)
Section = TypeVar("Section")


@dataclass
class Diagnosis:
    """What was found.

    Attributes:
        version: of geo_lm4ve.
        python: version and place of the interpreter.
        core, optional: one finding per package.
        device: facts about the machine.
        kernels: device -> point operation -> implementation and reason.
        blocks, data: one item per shipped option.
        problems: why the core does not work; empty if it does.
    """

    version: str = __version__
    python: str = f"{platform.python_version()} ({sys.executable})"
    core: list[Finding] = field(default_factory=list)
    optional: list[Finding] = field(default_factory=list)
    device: dict[str, Any] = field(default_factory=dict)
    kernels: dict[str, dict[str, str]] = field(default_factory=dict)
    blocks: list[inventory.Item] = field(default_factory=list)
    data: list[inventory.Item] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if the core works."""
        return not self.problems

    def plain(self) -> dict[str, Any]:
        """As dicts, lists and scalars, for JSON."""
        content = {"ok": self.ok, **asdict(self)}
        for finding in (*content["core"], *content["optional"]):
            finding["state"] = finding["state"].value
        return content


def examine() -> Diagnosis:
    """Look at everything; what cannot be looked at becomes a problem."""
    found = Diagnosis(core=[examine_core(package) for package in CORE])
    found.optional = [examine_optional(package) for package in OPTIONAL]
    if sys.version_info < PYTHON:
        found.problems.append(f"Python {platform.python_version()} is older than {'.'.join(map(str, PYTHON))}")
    found.problems += [
        f"{finding.name} is {finding.state.value}: {finding.advice}"
        for finding in found.core
        if finding.state is not State.ok
    ]
    found.device = _look("device", hardware.device, {}, found.problems)
    found.kernels = _look("kernels", hardware.point_kernels, {}, found.problems)
    found.blocks = _look("blocks", inventory.blocks, [], found.problems)
    found.data = _look("data", inventory.data, [], found.problems)
    return found


def _look(name: str, section: Callable[[], Section], nothing: Section, problems: list[str]) -> Section:
    try:
        return section()
    except Exception as error:  # noqa: BLE001 (a doctor must not fall ill: the failure is its finding)
        problems.append(f"{name} could not be examined: {type(error).__name__}: {error}")
        return nothing
