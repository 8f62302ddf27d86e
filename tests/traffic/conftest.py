"""Fixtures of the data tests."""

from traffic_files import av1, av2, made_av1, made_av2, scenario, subset

__all__ = ["av1", "av2", "made_av1", "made_av2", "scenario", "subset"]
