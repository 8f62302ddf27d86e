"""Metrics of forecasts, to the digit of the official code."""
