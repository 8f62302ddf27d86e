"""Preparers of point-cloud data sets."""
