"""Which tokens of a sequence are patches of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from geo_lm4ve.config import ConfigError


@dataclass(frozen=True)
class Layout:
    """What the tokens of a network of images are, as it makes them of images of one size.

    Attributes:
        size: rows and columns of these images.
        grid: rows and columns of their patches.
        specials: name -> number of tokens that stand before the patches, in their order.
        patch: rows and columns of a patch; None: images of any size fall into patches (feature maps, padding).
    """

    size: tuple[int, int]
    grid: tuple[int, int]
    specials: Mapping[str, int]
    patch: int | None

    @property
    def before(self) -> int:
        """Tokens that stand before the patches."""
        return sum(self.specials.values())

    def spans(self, tokens: int) -> dict[str, tuple[int, int]]:
        """Spans of N tokens."""
        spans, end = {}, 0
        for name, count in self.specials.items():
            spans[name] = (end, end + count)
            end += count
        return {**spans, "patches": (end, tokens)}

    def check(self, height: int, width: int) -> None:
        """Refuse images that do not fall into whole patches; ConfigError."""
        if self.patch is not None and (height % self.patch or width % self.patch or not height or not width):
            raise ConfigError(
                f"images of {height} x {width} pixels do not fall into patches of {self.patch} x {self.patch}: crop or "
                "resize them to a multiple"
            )

    def grid_of(self, height: int, width: int, tokens: int) -> tuple[int, int]:
        """Rows and columns of the patches among N tokens of an image; ConfigError where that cannot be told."""
        count = tokens - self.before
        steps = [(height * self.grid[0] / self.size[0], width * self.grid[1] / self.size[1])]
        for rows, columns in ((rounded(h), rounded(w)) for h, w in steps for rounded in (round, math.floor, math.ceil)):
            if rows * columns == count:
                return rows, columns
        raise ConfigError(
            f"images of {height} x {width} pixels make {count} patches, which are no grid that goes with "
            f"{self.grid[0]} x {self.grid[1]} of {self.size[0]} x {self.size[1]} pixels: take images of that size"
        )


def find_layout(
    size: tuple[int, int], tokens: int, grid: tuple[int, ...], patch: int | None, named: Mapping[str, int]
) -> Layout:
    """What N tokens of images of one size are.

    Args:
        size: rows and columns of the images.
        tokens: N.
        grid: of a feature map; () for a sequence.
        patch: rows and columns of a patch as far as it is known; hierarchical networks have larger ones in the end.
        named: tokens that are known to stand behind a class token (``registers``), name -> number.

    Raises:
        ValueError: it cannot be told; says what tells it.
    """
    if len(grid) == 2:
        return Layout(size, (grid[0], grid[1]), {}, None)
    known = sum(named.values())
    if patch and 0 <= (rest := tokens - (size[0] // patch) * (size[1] // patch) - known) <= 1:
        specials = {**({"cls": 1} if rest else {}), **named}
        return Layout(size, (size[0] // patch, size[1] // patch), {key: n for key, n in specials.items() if n}, patch)
    for classes in (0, 1):
        if size[0] == size[1] and (side := math.isqrt(max(tokens - classes, 0))) and side * side == tokens - classes:
            return Layout(size, (side, side), {"cls": 1} if classes else {}, None)
    raise ValueError(
        f"{tokens} tokens of {size[0]} x {size[1]} pixels are no grid of patches, with or without a class token: set "
        "encoder.patch, and encoder.size where it is known"
    )
