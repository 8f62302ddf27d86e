"""Download, convert and verify data sets; ``tools/prepare.py`` finds each by its preparer's name."""
