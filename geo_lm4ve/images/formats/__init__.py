"""Layouts that data sets of images come in, each an option of ``data``."""
