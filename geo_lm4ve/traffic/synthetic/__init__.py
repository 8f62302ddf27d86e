"""Synthetic traffic: road networks, driving, files in both Argoverse layouts."""
