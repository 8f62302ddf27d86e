"""Heads: TokenSet -> prediction. Importing this package registers them."""

from geo_lm4ve.heads import classification as classification
from geo_lm4ve.heads import kinematic as kinematic
from geo_lm4ve.heads import lane_follower as lane_follower
from geo_lm4ve.heads import mmtransformer as mmtransformer
from geo_lm4ve.heads import vectornet as vectornet
from geo_lm4ve.heads.base import Head, HeadConfig

__all__ = ["Head", "HeadConfig"]
