"""Data sets: disk -> batches. One file per data set."""

from geo_lm4ve.data import argoverse1, argoverse2, modelnet40, points_source, synthetic_solids, synthetic_traffic  # noqa: F401  (registers their configs)
