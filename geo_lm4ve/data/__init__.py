"""Data sets: disk -> batches. One file per data set."""
