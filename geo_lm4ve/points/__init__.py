"""Point clouds: data sets, Point-BERT, checkpoints, pictures. Importing this package registers them."""

# ruff: noqa: F401
import geo_lm4ve.points.checkpoints.point_bert
import geo_lm4ve.points.encoders.point_bert
import geo_lm4ve.points.modelnet40
import geo_lm4ve.points.prepare.modelnet40
import geo_lm4ve.points.prepare.solids
import geo_lm4ve.points.solids.source
import geo_lm4ve.points.source
import geo_lm4ve.points.viz.files
