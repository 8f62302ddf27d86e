"""Download, convert and verify data sets: one file per data set, found by ``tools/prepare.py`` through its table."""

from geo_lm4ve.data.prepare import argoverse, modelnet40, synthetic_solids, synthetic_traffic  # noqa: F401  (registers their preparers)
