"""Images: ViT, its checkpoints, generated images. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "encoder": {"vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
    "preparer": {"synthetic_images": ".prepare.synthetic"},
}
