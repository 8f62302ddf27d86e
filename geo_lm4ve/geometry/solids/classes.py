"""All classes of solids in one table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geo_lm4ve.geometry.solids.household import HOUSEHOLD
from geo_lm4ve.geometry.solids.mechanical import MECHANICAL
from geo_lm4ve.geometry.solids.mesh import Mesh
from geo_lm4ve.geometry.solids.primitives import PRIMITIVES

SOLIDS: dict[str, Callable[[np.random.Generator], Mesh]] = dict(
    sorted({**PRIMITIVES, **HOUSEHOLD, **MECHANICAL}.items())
)
"""Class name -> function that builds one solid of that class, sorted by name."""
