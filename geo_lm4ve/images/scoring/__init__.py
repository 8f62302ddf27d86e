"""Scores of several evaluations together."""
