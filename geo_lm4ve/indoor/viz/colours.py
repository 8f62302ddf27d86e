"""Colours of what is drawn into scans, the same in PNG and HTML; told apart with common colour vision deficiencies."""

PREDICTED, TRUTH = "#0072b2", "#e69f00"
"""Blue and orange of Okabe and Ito (2008); the true box is dashed as well, so that one on the other shows both."""
ASKER = "#1b1f24"
"""The arrow that stands where the asker stands; it has a white edge."""
