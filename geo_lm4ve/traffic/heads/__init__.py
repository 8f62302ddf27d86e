"""Heads that forecast trajectories."""
