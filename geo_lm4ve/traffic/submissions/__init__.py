"""The files in which forecasters hand in their predictions: Argoverse 1 HDF5 and Argoverse 2 parquet."""

from geo_lm4ve.traffic.submissions.argoverse1 import read_argoverse1, write_argoverse1
from geo_lm4ve.traffic.submissions.argoverse2 import read_argoverse2, write_argoverse2
from geo_lm4ve.traffic.submissions.forecasts import Forecasts

__all__ = ["Forecasts", "read_argoverse1", "read_argoverse2", "write_argoverse1", "write_argoverse2"]
