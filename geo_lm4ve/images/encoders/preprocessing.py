"""What a model of images wants its pixels to be, as its own files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_lm4ve.reading import Fields, json_object

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's red, green and blue, in fractions of white (DeiT, timm)."""
_OWN, _WHOLE = "preprocessor_config.json", "processor_config.json"
"""An image processor's file, and a whole processor's, which holds an image processor's values."""
_WHITE = 255


@dataclass(frozen=True)
class Preprocessing:
    """What is done to pixels before a network sees them: (fraction of white - mean) / std, channel by channel.

    Attributes:
        mean, std: of red, green and blue, in fractions of white.
        size: rows and columns of an image; None: not said.
        origin: where that comes from, for people.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    size: tuple[int, int] | None
    origin: str

    def describe(self) -> str:
        """In one line."""
        mean, std = (" ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, std {std} ({self.origin})"


def assumed(why: str) -> Preprocessing:
    """ImageNet's, where nothing says otherwise."""
    return Preprocessing(MEAN, STD, None, f"ImageNet's, assumed: {why}")


def read_preprocessing(folder: Path) -> Preprocessing:
    """What ``preprocessor_config.json`` says, assumptions where it is not there; call it inside a guard.

    Raises:
        ValueError: numbers that cannot be meant.
    """
    if (folder / _OWN).is_file():
        return _parsed(json_object((folder / _OWN).read_bytes()), _OWN)
    if (folder / _WHOLE).is_file():
        inside = json_object((folder / _WHOLE).read_bytes()).get("image_processor")
        if isinstance(inside, dict):
            return _parsed(inside, _WHOLE)
    return assumed(f"there is no {_OWN}")


def _parsed(values: Mapping[str, Any], name: str) -> Preprocessing:
    size = _size(values.get("crop_size")) if values.get("do_center_crop", True) else None
    size = size or _size(values.get("size"))
    if not values.get("do_normalize", True):
        return Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), size, f"not normalised, by {name}")
    if "image_mean" not in values or "image_std" not in values:
        return Preprocessing(MEAN, STD, size, f"ImageNet's, assumed: {name} names no image_mean and image_std")
    factor = Fields(values).number("rescale_factor") * _WHITE if "rescale_factor" in values else 1.0
    if not factor > 0:
        raise ValueError(f"rescale_factor of {name} is {values['rescale_factor']}, not above 0")
    mean, std = (_three(values, key, name) for key in ("image_mean", "image_std"))
    if min(std) <= 0:
        raise ValueError(f"image_std of {name} is {list(std)}: each is above 0")
    return Preprocessing(_scaled(mean, factor), _scaled(std, factor), size, name)


def _three(values: Mapping[str, Any], key: str, name: str) -> tuple[float, ...]:
    """Numbers of the three colours; one number stands for all."""
    given = values[key] if isinstance(values[key], list) else [values[key]] * 3
    if len(given) != 3:
        raise ValueError(f"{key} of {name} has {len(given)} numbers, not one for each of red, green and blue")
    return tuple(Fields({key: one}).number(key) for one in given)


def _scaled(values: tuple[float, ...], factor: float) -> tuple[float, float, float]:
    """Numbers for pixels that are multiplied by ``factor``, for those that are not; no rounding where it is 1."""
    red, green, blue = values if abs(factor - 1) < 1e-9 else (value / factor for value in values)
    return red, green, blue


def _size(value: Any) -> tuple[int, int] | None:
    """Rows and columns; a shortest edge stands for both."""
    if isinstance(value, Mapping):
        edge = value.get("shortest_edge")
        value = [value.get("height", edge), value.get("width", edge)]
    sides = value if isinstance(value, list | tuple) else [value, value]
    if len(sides) != 2 or not all(type(side) is int and 0 < side < 1 << 16 for side in sides):
        return None
    return sides[0], sides[1]
