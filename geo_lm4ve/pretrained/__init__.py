"""Official checkpoints -> our names, with a grouped report."""

from geo_lm4ve.pretrained.load import load_official, to_official
from geo_lm4ve.pretrained.report import LoadReport

__all__ = ["LoadReport", "load_official", "to_official"]
