"""What is installed, what serves which operation, which blocks and data are at hand: ``python -m geo_lm4ve.doctor``.

Nothing heavy is imported before it is examined, so that a broken package is reported instead of met.
"""
