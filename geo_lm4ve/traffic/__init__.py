"""Traffic scenes: Argoverse 1 and 2, VectorNet, mmTransformer, forecasting. Importing this package registers them."""

# ruff: noqa: F401
import geo_lm4ve.traffic.argoverse.argoverse1
import geo_lm4ve.traffic.argoverse.argoverse2
import geo_lm4ve.traffic.argoverse.prepare
import geo_lm4ve.traffic.checkpoints.mmtransformer
import geo_lm4ve.traffic.checkpoints.vectornet
import geo_lm4ve.traffic.encoders.kinematic
import geo_lm4ve.traffic.encoders.mmtransformer
import geo_lm4ve.traffic.encoders.vectornet
import geo_lm4ve.traffic.forecast.task
import geo_lm4ve.traffic.heads.kinematic
import geo_lm4ve.traffic.heads.lane_follower
import geo_lm4ve.traffic.heads.mmtransformer
import geo_lm4ve.traffic.heads.vectornet
import geo_lm4ve.traffic.scoring.scorer
import geo_lm4ve.traffic.synthetic.prepare
import geo_lm4ve.traffic.synthetic.source
