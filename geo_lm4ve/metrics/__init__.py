"""Metrics of every task, to the digit of the official code."""
