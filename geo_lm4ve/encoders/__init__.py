"""Encoders: Batch -> TokenSet. One file per encoder; importing this package registers them."""

from geo_lm4ve.encoders import kinematic as kinematic
from geo_lm4ve.encoders import mmtransformer as mmtransformer
from geo_lm4ve.encoders import point_bert as point_bert
from geo_lm4ve.encoders import vectornet as vectornet
from geo_lm4ve.encoders.base import Encoder, EncoderConfig

__all__ = ["Encoder", "EncoderConfig"]
