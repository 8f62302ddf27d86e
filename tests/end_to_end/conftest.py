"""Real and made-up traffic for the tests of whole commands."""

from traffic_files import scenario, subset

__all__ = ["scenario", "subset"]
