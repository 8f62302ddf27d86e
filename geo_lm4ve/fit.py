"""Whether the parts of an experiment fit one another, by what they declare: known before any data or weight is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from geo_lm4ve.config import ConfigError
from geo_lm4ve.options import load_option, options, part_class

Reason = str | None
"""Why two parts do not fit; "" where they do, None where one of them does not say."""


def check_fit(parts: Mapping[str, Any], choices: Mapping[str, str] | None = None) -> None:
    """Refuse parts one of which gives what the next does not take; a part that declares nothing is never refused.

    Args:
        parts: configs by group; the groups that are not there are not asked.
        choices: names of the options by group, for the message; default: the names of the configs.

    Raises:
        ConfigError: each pair that does not fit, with the reason and the options that would.
    """
    called = {group: f"{group}={(choices or {}).get(group, config.name)}" for group, config in parts.items()}
    wrong = []
    for (giver, taker), joint in _JOINTS.items():
        if giver in parts and taker in parts and (reason := joint(parts[giver], parts[taker])):
            text = f"{called[giver]} and {called[taker]} do not fit: {reason}"
            wrong.append("; ".join([text, *_ways_on(giver, taker, parts, called)]))
    if not wrong and {"data", "encoder"} <= parts.keys() and (lack := parts["encoder"].lacks(parts["data"])):
        wrong.append(f"{called['data']} and {called['encoder']} do not fit: {lack}")
    if wrong:
        raise ConfigError("\n".join(wrong))


def _batches(data: Any, encoder: Any) -> Reason:
    if data.gives is None or encoder.takes is None:
        return None
    fits = issubclass(data.gives, encoder.takes)
    return "" if fits else f"the data come as {data.gives.__name__}, the encoder takes {encoder.takes.__name__}"


def _tokens(encoder: Any, reader: Any) -> Reason:
    needs = reader.needs()
    if needs is None or encoder.offers is None:
        return None
    missing, made = sorted(needs - encoder.offers), ", ".join(sorted(encoder.offers))
    return f"the encoder makes {made}, not {', '.join(missing)}" if missing else ""


def _predictions(head: Any, task: Any) -> Reason:
    if head.gives is None or task.scores is None:
        return None
    fits = issubclass(head.gives, task.scores)
    return "" if fits else f"the head gives {head.gives.__name__}, the task scores {task.scores.__name__}"


_JOINTS: dict[tuple[str, str], Callable[[Any, Any], Reason]] = {
    ("data", "encoder"): _batches,
    ("encoder", "bridge"): _tokens,
    ("encoder", "head"): _tokens,
    ("head", "task"): _predictions,
}
"""Giver and taker by group, in the order in which data flows."""


def _ways_on(giver: str, taker: str, parts: Mapping[str, Any], called: Mapping[str, str]) -> list[str]:
    """The options on either side that would fit the other one."""
    joint, found = _JOINTS[giver, taker], []
    for group, other, fits in (
        (taker, giver, lambda option: joint(parts[giver], option)),
        (giver, taker, lambda option: joint(option, parts[taker])),
    ):
        if fitting := [name for name in options(group) if fits(_declaring(group, name)) == ""]:
            found.append(f"with {called[other]} goes {group}={'|'.join(fitting)}")
    return found


def _declaring(group: str, name: str) -> Any:
    """What an option declares: its values where they say it, its class where it leaves values to the user."""
    return load_option(group, name) if group in ("head", "bridge") else part_class(group, name)
