"""Encoders of video clips."""
