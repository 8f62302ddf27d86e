"""Getting images ready: what ``tools/prepare.py`` calls."""
