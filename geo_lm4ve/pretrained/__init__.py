"""Official checkpoints -> our names, with a grouped report."""

from geo_lm4ve.pretrained.load import check_official, load_official, to_official
from geo_lm4ve.pretrained.reading import read_checkpoint
from geo_lm4ve.pretrained.report import LoadReport

__all__ = ["LoadReport", "check_official", "load_official", "read_checkpoint", "to_official"]
