"""The pictures of a classification run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo_lm4ve.data.base import DataSource
from geo_lm4ve.tasks.base import Record
