"""Scores of foreign forecasts: files of any model against original scene files."""
