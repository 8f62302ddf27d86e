"""Images: data sets, ViT, checkpoints, any other network as an encoder. ``PARTS`` says which module registers what."""

PARTS: dict[str, dict[str, str]] = {
    "data": {
        "cifar10": ".formats.cifar",
        "cifar100": ".formats.cifar",
        "idx": ".formats.idx",
        "image_folder": ".formats.image_folder",
        "image_shards": ".formats.image_shards",
        "imagenet": ".formats.imagenet",
        "imagenet_a": ".formats.imagenet_variants",
        "imagenet_c": ".formats.imagenet_variants",
        "imagenet_r": ".formats.imagenet_variants",
        "imagenet_sketch": ".formats.imagenet_variants",
        "synthetic_images": ".synthetic.source",
    },
    "encoder": {"generic": ".encoders.generic", "vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
    "preparer": {"synthetic_images": ".prepare.synthetic"},
    "scorer": {"imagenet_c": ".scoring.scorer"},
}
