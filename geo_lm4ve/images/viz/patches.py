"""The activation of patches of a batch of images, drawn on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from geo_lm4ve.images.batch import ImageBatch
from geo_lm4ve.images.recipe import Recipe
from geo_lm4ve.images.viz.activation import Lit, activation_png, on_grid
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.tokens import TokenSet
from geo_lm4ve.words import line, short

SPAN, NAME = "patches", 24
"""Tokens that are drawn; characters of a class below an image."""


def draw_patches(
    path: Path,
    batch: ImageBatch,
    tokens: Mapping[str, TokenSet],
    kind: Callable[[Tensor, Tensor], Tensor],
    records: Sequence[Mapping[str, Any]],
    recipe: Recipe,
    title: str,
    *,
    synthetic: bool,
) -> None:
    """See DataSource.draw_tokens; ``recipe`` says how the images were normalised.

    Raises:
        DataError: there are no tokens of patches on a grid.
    """
    values = {name: _patches(one, kind) for name, one in tokens.items()}
    masks = [None] * len(batch) if batch.masks is None else [mask.cpu().numpy() for mask in batch.masks]
    images = [
        Lit(
            recipe.shown(batch.pixels[row]),
            {name: on_grid(found[row], positions[row]) for name, (found, positions) in values.items()},
            f"{short(line(record['prediction']), NAME)} (true: {short(line(record['label']), NAME)})",
            record["correct"],
            masks[row],
        )
        for row, record in enumerate(records)
    ]
    note = "bright: the token of a patch stands out from those of the other patches; white line: outline of the object"
    activation_png(path, images, title, note if batch.masks is not None else note.split(";")[0], synthetic=synthetic)


def _patches(tokens: TokenSet, kind: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    if SPAN not in tokens.spans or tokens.positions is None:
        raise DataError(
            f"token activation needs the span {SPAN!r} with positions, the tokens have {', '.join(tokens.spans)}"
        )
    span = tokens.span(SPAN)
    valid = torch.ones_like(tokens.valid[:, span])
    return kind(tokens.features[:, span], valid), tokens.positions[:, span]
