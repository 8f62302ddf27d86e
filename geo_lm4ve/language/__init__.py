"""Texts, whatever they are asked about: tokenisers, cleanings of published evaluations, and vectors of words."""
