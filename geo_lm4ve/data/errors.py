"""What is raised about data."""

from __future__ import annotations

from geo_lm4ve.files import UserError


class DataError(UserError, RuntimeError):
    """Data that is missing, corrupt or not what its manifest says; the message says what to do next."""
