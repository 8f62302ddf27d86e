"""The drivable area behind a picture: where it cannot be read the picture is drawn without it, and that is said."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from geo_lm4ve.notice import say
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.traffic.records.surface import Surface

Parameters = ParamSpec("Parameters")


def ground(
    find: Callable[Parameters, Surface | None], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Surface | None:
    """What ``find`` gives, or None where the file is damaged: no forecast hangs on it, only its background."""
    try:
        return find(*args, **kwargs)
    except DataError as error:
        _say_once(f"pictures show no drivable area: {error}")
        return None


@functools.cache
def _say_once(text: str) -> None:
    """Many scenes share a map."""
    say(text)
