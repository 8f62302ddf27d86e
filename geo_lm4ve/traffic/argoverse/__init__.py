"""Argoverse 1 and 2: readers of the original files, data sources, preparation."""
