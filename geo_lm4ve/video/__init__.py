"""Video: VideoMAE and its checkpoints. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "encoder": {"videomae": ".encoders.videomae"},
    "checkpoints": {"videomae": ".checkpoints.videomae"},
}
