"""Images: data sets, ViT, its checkpoints, any other network as an encoder. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "data": {"image_folder": ".formats.image_folder"},
    "encoder": {"generic": ".encoders.generic", "vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
    "scorer": {"imagenet_c": ".scoring.scorer"},
}
