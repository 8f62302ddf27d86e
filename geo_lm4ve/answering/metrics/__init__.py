"""Metrics of answers, to the digit of the official code; one noun a file."""
