"""geo_lm4ve: one frozen language-model block as a visual encoder layer."""

__version__ = "0.1.0"
