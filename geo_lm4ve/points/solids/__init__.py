"""Synthetic solids: files and data source of generated clouds."""
