"""The arguments of commands that take an experiment: which one it is, and what else there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from geo_lm4ve.changes import check_changes
from geo_lm4ve.mistakes import FLAGS, check_experiments, check_flags
from geo_lm4ve.usage import experiment_file


def divided(arguments: Sequence[str], name: str) -> tuple[str, list[str]]:
    """The one argument that names an experiment, and the rest; ConfigError for what cannot be meant.

    Args:
        arguments: of the command line.
        name: of the command, for an example.
    """
    check_flags(arguments)
    values_of_flags = {value for flag, value in pairwise(arguments) if FLAGS.get(flag) is not None}
    words = [one for one in arguments if not one.startswith("-") and one not in values_of_flags]
    found = [one for one in words if experiment_file(one)]
    check_experiments([one for one in words if one in found or not re.search("^[+~]|=", one)], found, name)
    rest = [argument for argument in arguments if argument != found[0]]
    check_changes(rest, sweeps=bool({"-m", "--multirun"} & set(rest)))
    return found[0], rest
