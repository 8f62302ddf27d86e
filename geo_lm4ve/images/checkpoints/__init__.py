"""Official checkpoints of encoders of images."""
