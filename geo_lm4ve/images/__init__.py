"""Images: data sets, ViT, its checkpoints. ``PARTS`` says which module registers what."""

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
    },
    "encoder": {"vit": ".encoders.vit"},
    "checkpoints": {"vit": ".checkpoints.vit"},
}
