"""Masked point modelling: the task of pre-training an encoder of point clouds without labels."""
