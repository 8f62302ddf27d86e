"""Images: ViT, its checkpoints. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "encoder": {"vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
}
