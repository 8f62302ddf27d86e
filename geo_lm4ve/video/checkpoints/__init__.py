"""Official checkpoints of encoders of video clips."""
