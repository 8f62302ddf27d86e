"""Encoders of traffic scenes."""
