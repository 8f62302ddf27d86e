"""Heads that read tokens of point clouds."""
