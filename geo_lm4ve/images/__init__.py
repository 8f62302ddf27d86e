"""Images: ViT, its checkpoints, any other network as an encoder. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "encoder": {"generic": ".encoders.generic", "vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
}
