"""Texts, whatever they are asked about: tokenisers and the cleanings of published evaluations."""
